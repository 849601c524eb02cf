# The table for people. Input: the array of all cases.
include "targets";

def pad($n): tostring | . + " " * ([$n - length, 0] | max);
def lpad($n): tostring | " " * ([$n - length, 0] | max) + .;
def us: . / 10 | round / 100 | tostring | if test("\\.") then . else . + "." end
	| . + "0" * (3 - (split(".")[1] | length) - 1) | lpad(9);
def ratio: . * 1000 | round / 1000;

. as $all
| "Instructions, in thousands: of a packet, and what a miss adds to it",
  "",
  (("CASE" | pad(14)) + ("MODULES" | pad(9)) + ("DEVICES" | lpad(7)) + ("PACKET" | lpad(10)) + ("MISS" | lpad(10)) + ("TO FD" | lpad(9))),
  (.[] | select(.ns and (.guest | not) and (.case | startswith("hit-") | not))
   | . as $c
   | ($all | cost("hit"; $c.modules; $c.devices)) as $hit
   | ($all | miss("fd"; $c.modules; $c.devices)) as $fd
   | ($c.case | pad(14)) + ($c.modules | pad(9)) + ($c.devices | lpad(7)) + ($c.ns | us | lpad(10))
     + (if $c.case == "hit" then ("-" | lpad(10)) + ("-" | lpad(9))
        else (($c.ns - $hit) | us | lpad(10)) + ((($c.ns - $hit) / $fd) | ratio | lpad(9)) end)),
  "",
  "What watching costs: a packet that hits while its look-ups are counted, to one that nobody counts",
  "",
  (("CASE" | pad(14)) + ("MODULES" | pad(9)) + ("PACKET" | lpad(9)) + ("RATIO" | lpad(9))),
  (.[] | select(.ns and (.case | startswith("hit-")))
   | . as $c
   | ($c.case | pad(14)) + ($c.modules | pad(9)) + ($c.ns | us)
     + ($c.ns / ($all | cost("hit"; $c.modules; 1)) | ratio | lpad(9))),
  "",
  "In a guest with the tables of an IOMMU: SEND is kick, miss and interrupt, ALL",
  "is that and the driver with its maps, unmaps and INVALIDATEs; both also as",
  "packets for an instruction, to those with mappings that stay",
  "",
  (("CASE" | pad(18)) + ("SEND" | lpad(9)) + ("RATE" | lpad(9)) + ("MISS" | lpad(9)) + ("ALL" | lpad(9)) + ("RATE" | lpad(9))),
  (.[] | select(.guest)
   | . as $c
   | first($all[] | select(.case == "fixed")) as $fixed
   | ($c.case | pad(18)) + ($c.ns | us) + ($fixed.ns / $c.ns | ratio | lpad(9))
     + (if $c.case == $fixed.case then ("-" | lpad(9)) else ($c.ns - $fixed.ns | us) end)
     + ($c.packet_ns | us) + ($fixed.packet_ns / $c.packet_ns | ratio | lpad(9))),
  "",
  "Instructions, in thousands: of an UPDATE",
  "",
  (.[] | select(.op_ns) | (.case | pad(24)) + (.op_ns | us)),
  "",
  "Instructions, in thousands: of a call about PASIDs, by the library and what it",
  "writes to vhost, and as a request at the control socket with its reply",
  "",
  (("CALL" | pad(24)) + ("LIBRARY" | lpad(9)) + ("SOCKET" | lpad(9))),
  (calls[] | (.call | pad(24)) + (.library | us) + (.socket | us)),
  "",
  (targets[] | (if .good then "good    " else "MISSED  " end) + (.what | pad(52)) + (.value | ratio | lpad(8)) + "  (at most \(.limit | ratio))")
