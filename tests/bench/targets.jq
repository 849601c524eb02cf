# What the figures of a run have to reach. Input: the array of all cases.

def cost($case; $modules; $devices):
	first(.[] | select(.case == $case and .modules == $modules and .devices == $devices).ns);

# What a miss adds to a packet.
def miss($case; $modules; $devices):
	cost($case; $modules; $devices) - cost("hit"; $modules; $devices);

# Of an UPDATE, for the writer.
def op($case): first(.[] | select(.case == $case).op_ns);

# A call about PASIDs.
def call($call; $way): first(.[] | select(.case == $call + "-" + $way).call_ns);

def calls: . as $all
	| [.[] | select(.call_ns).case | select(endswith("-socket")) | rtrimstr("-socket")]
	| map(. as $call | { call: $call, library: ($all | call($call; "library")),
		socket: ($all | call($call; "socket")) });

def memory: first(.[] | select(.case == "memory"));

def target($what; $ratio; $limit):
	{ what: $what, value: $ratio, limit: $limit, good: ($ratio <= $limit) };

def targets: [
	target("hit, patched to stock"; cost("hit"; "patched"; 1) / cost("hit"; "stock"; 1); 1.002),
	target("miss by fd, patched to stock"; cost("fd"; "patched"; 1) / cost("fd"; "stock"; 1); 1.005),
	target("miss, 8 devices, ring with epoll to fd"; miss("ring-epoll"; "patched"; 8) / miss("fd"; "patched"; 8); 0.8),
	target("miss, 1 device, ring polled to fd of stock"; miss("ring-poll"; "patched"; 1) / miss("fd"; "stock"; 1); 0.8),
	target("miss, resolved in the kernel to fd of stock"; (cost("sweep-kernel"; "patched"; 1) - cost("fixed"; "patched"; 1)) / miss("fd"; "stock"; 1); 0.05),
	target("packet, strict and resolved in the kernel to fixed"; cost("strict-kernel"; "patched"; 1) / cost("fixed"; "patched"; 1); 1 / 0.95),
	target("packet, 16 times the IOTLB at random to fixed"; cost("random-kernel"; "patched"; 1) / cost("fixed"; "patched"; 1); 1 / 0.9),
	target("hit, a program attached that walks to none"; cost("fixed-resolver"; "patched"; 1) / cost("fixed"; "patched"; 1); 1.005),
	target("hit, with a PASID to without"; cost("sva-fixed"; "patched"; 1) / cost("fixed"; "patched"; 1); 1.01),
	target("miss, nested in the kernel to flat by fd of stock"; (cost("sva-strict-kernel"; "patched"; 1) - cost("sva-fixed"; "patched"; 1)) / miss("fd"; "stock"; 1); 0.1),
	target("misses of 2000 pages, neighbours answered too to fd"; (cost("2000-pages-ring"; "patched"; 1) - cost("fixed"; "patched"; 1)) / (cost("2000-pages-fd"; "patched"; 1) - cost("fixed"; "patched"; 1)); 0.5),
	target("hit, all events counted to not"; cost("hit-counted"; "patched"; 1) / cost("hit"; "patched"; 1); 1.03),
	target("hit, counted by probes on functions to not"; cost("hit-probed"; "stock"; 1) / cost("hit"; "stock"; 1); 1.12),
	target("hit, counted by iotlb-top to by bpftrace"; cost("hit-counted"; "patched"; 1) / cost("hit-bpftrace"; "patched"; 1); 0.9),
	target("hit, counted by iotlb-top to by perf stat"; cost("hit-counted"; "patched"; 1) / cost("hit-perf-stat"; "patched"; 1); 1),
	target("32 updates in a message to one by one"; op("update-batch") / op("update"); 0.25),
	target("the same, of new addresses"; op("update-new-batch") / op("update-new"); 0.4),
	target("update, after 1000000 kicks to after one"; op("update-kicked-much") / op("update-kicked"); 1.02),
	target("call about PASIDs by socket, the dearest, in thousands"; ([calls[].socket] | max) / 1000; 65),
	target("packets lost, all cases"; [.[].lost] | add; 0),
	target("kernel memory, 100000 addresses, KiB more"; memory.kib; 512)
];
