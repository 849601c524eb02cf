# Results of tests/vm/bench-sva.t, a line each: what is wrong with them? Each
# problem is named.

def problem($name; $good): if $good then empty else $name end;

# Of one direction, whose options are $o. What was under way when a process ended
# is mapped once more, and its rings are missed anew.
def direction($o; $rx):
	(if $o.fragments then 2 else 1 end) as $pages
	| (if $o.chain > 1 then $pages else 1 end) as $table
	| ($o.count * $o.devices) as $n
	| ($o.devices * (3 * $pages + (if $o.indirect then $o.in_flight * $table else 0 end))) as $rings
	| ($o.in_flight * $o.devices * $pages) as $first
	# Packets that have failed, for a page was refused, and are sent again.
	| (.pages.resent // 0) as $again
	| ($n + $again) as $tries
	| problem("not every packet"; .sent == $n and .verified == $n),
	  problem("other packets"; .corrupted + .stale + .lost + .foreign == 0),
	  problem("errors"; .ring_errors == $again),
	  problem("crossed"; .crossed_bytes == 0),
	  problem("misses are not ours"; (.misses == null) == ($o.server | IN("ring", "kernel"))),
	  problem("misses of rings"; if .misses == null then true
		elif $o.lifetime then .misses.ring > $rings
		else .misses.ring == $rings end),
	  problem("misses of buffers"; .misses.buffer? as $misses
		| if $misses == null then true
		  elif $o.map == "fixed" and $o.lifetime
		  then $misses > $first
		  elif $o.map == "fixed" then $misses == $first + $again
		  elif $o.map == "random" then $misses >= $pages
		  elif $o.lifetime then $misses >= $n * $pages
		  else $misses == $tries * $pages end),
	  problem("maps and unmaps"; .dma
		| if $o.map == "fixed" or $o.map == "random" then add == 0
		  elif $o.lifetime then .maps >= $n and .unmaps > 0 and .unmaps <= .maps
		  elif $o.map == "remap"
		  then .maps == $tries and .unmaps == $tries - $o.in_flight * $o.devices
		  else .maps == $tries and .unmaps == $tries end),
	  problem("invalidations"; .dma.invalidations == .dma.unmaps),
	  problem("messages"; $o.map == "lazy" or .dma.invalidate_messages == .dma.unmaps),
	  problem("asked for pages"; ($o.page_requests // false) == (.pages != null)),
	  (select(.pages) | .pages.requests as $requests
		| problem("page requests"; if $o.map == "random" then $requests >= $pages
			elif $o.lifetime then $requests >= (if $o.map == "fixed" then $first else $n * $pages end)
			elif $o.map == "fixed" then $requests == $first + $again
			else $requests == $tries * $pages end),
		  problem("copied"; if $o.map == "remap" and $rx then .pages.copied > 0
			and ($o.lifetime or $o.refuse or .pages.copied == $requests - $first)
			else .pages.copied == 0 end),
		  problem("refused"; if $o.refuse
			then .pages.refused == ($requests / $o.refuse | floor) and .pages.refused == $again
			else .pages.refused == 0 end));

# Nearly as many as there are lives in the packets of all processes.
def ended($o):
	($o.count * $o.devices * ([.tx, .rx | values] | length)) as $n
	| .processes_ended >= $n / ($o.lifetime + 2 * $o.in_flight) / 2
	  and .processes_ended <= $n / $o.lifetime;

def stale:
	(.tx, .rx | values
		| problem("stale"; .stale > 0 and .stale <= .corrupted),
		  problem("crossed"; .crossed_bytes == 0),
		  problem("invalidations"; .dma.invalidations == 0));

# What is sent is read from the pages of the other process.
def one_space($o):
	.tx | problem("crossed"; .verified == 0 and .corrupted == .sent
		and .crossed_bytes == .sent * ($o.size - 32));

def problems:
	.options as $o
	| if ($o.invalidate | not) or $o.one_space then
		problem("good"; .good | not),
		if $o.one_space then one_space($o) else stale end
	  else
		problem("good"; .good),
		problem("directions"; [.tx, .rx | values] | length
			== (if $o.direction == "both" then 2 else 1 end)),
		(.tx | values | direction($o; false)),
		(.rx | values | direction($o; true)),
		problem("unanswered"; .unanswered
			| . == null or .unmapped + .denied + .refused_updates == 0 and ($o.lifetime or .late == 0)),
		problem("processes"; $o.lifetime == null or ended($o))
	  end;

# Of those where nothing was to be found.
def sum: [.[] | select(. and (.options.one_space | not) and .options.invalidate) | .tx, .rx | values]
	| "# \(map(.verified) | add) packets verified, \(map(.crossed_bytes) | add) bytes crossed";

($names | split("\n")) as $names
| [inputs]
| sum,
  (to_entries[]
| ([if .value then .value | problems else "no result" end] | unique) as $problems
| (if $problems == [] then "ok" else "not ok" end)
	+ " \(.key + 1) - \($names[.key])",
  (if $problems == [] then empty
   else "# \($problems | join(", "))", "# \(.value | tojson)" end))
