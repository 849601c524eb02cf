# Results of tests/vm/bench-maps.t, a line each: what is wrong with them? Rings
# are three parts, and the indirect tables of the packets in flight; what is
# fragmented lies in two pages. Each problem is named.

def problem($name; $good): if $good then empty else $name end;

# Of one direction, whose options are $o.
def direction($o):
	(if $o.fragments then 2 else 1 end) as $pages
	| (if $o.chain > 1 then $pages else 1 end) as $table
	| ($o.count * $o.devices) as $n
	| ($o.devices * (3 * $pages + (if $o.indirect then $o.in_flight * $table else 0 end))) as $rings
	| problem("not every packet"; .sent == $n and .verified == $n),
	  problem("other packets"; .corrupted + .lost + .foreign + .ring_errors == 0),
	  problem("time of a packet"; .packet_ns > 0 and .rtt_ns.mean > 0),
	  problem("misses of rings"; $o.page != "4k" or .misses.ring == $rings),
	  problem("misses of buffers"; .misses.buffer as $misses
		| if $o.page != "4k" and $o.map != "strict" then true
		  elif $o.map == "fixed" then $misses == $o.in_flight * $o.devices * $pages
		  elif $o.map == "random" then
			$misses >= $pages and $misses <= $o.working_set * $o.devices
		  else $misses == $n * $pages end),
	  problem("maps and unmaps"; .dma
		| if $o.map == "strict" or $o.map == "lazy"
		  then .maps == $n and .unmaps == $n and .invalidations == $n
		  else add == 0 end),
	  problem("messages"; $o.map != "strict" or .dma.invalidate_messages == $n);

# 256 at a time, and at the end of each direction once more.
def batches($o):
	[.tx, .rx | values] as $directions
	| (($directions | length) * $o.count / 256 | floor) as $full
	| ([$directions[].dma.invalidate_messages] | add) as $messages
	| $messages >= $o.devices * $full and $messages <= $o.devices * ($full + 2);

def stale:
	problem("good"; .good | not),
	(.tx, .rx | values
		| problem("stale"; .stale > 0 and .stale <= .corrupted),
		  problem("invalidations"; .dma.invalidations == 0));

def problems:
	.options as $o
	| if $o.invalidate | not then stale
	  else
		problem("directions"; [.tx, .rx | values] | length
			== (if $o.direction == "both" then 2 else 1 end)),
		(.tx, .rx | values | direction($o)),
		problem("unanswered"; [.unanswered[]] | add == 0),
		problem("batches"; $o.map != "lazy" or batches($o))
	  end;

($names | split("\n")) as $names
| [inputs]
| to_entries[]
| ([if .value then .value | problems else "no result" end] | unique) as $problems
| (if $problems == [] then "ok" else "not ok" end)
	+ " \(.key + 1) - \($names[.key])",
  (if $problems == [] then empty
   else "# \($problems | join(", "))", "# \(.value | tojson)" end)
