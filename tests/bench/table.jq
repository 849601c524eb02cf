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
  (.[] | select(.ns)
   | . as $c
   | ($all | cost("hit"; $c.modules; $c.devices)) as $hit
   | ($all | miss("fd"; $c.modules; $c.devices)) as $fd
   | ($c.case | pad(14)) + ($c.modules | pad(9)) + ($c.devices | lpad(7)) + ($c.ns | us | lpad(10))
     + (if ($c.case | startswith("hit")) then ("-" | lpad(10)) + ("-" | lpad(9))
        else (($c.ns - $hit) | us | lpad(10)) + ((($c.ns - $hit) / $fd) | ratio | lpad(9)) end)),
  "",
  "Instructions, in thousands: of an UPDATE",
  "",
  (.[] | select(.op_ns) | (.case | pad(24)) + (.op_ns | us)),
  "",
  (targets[] | (if .good then "good    " else "MISSED  " end) + (.what | pad(46)) + (.value | ratio | lpad(8)) + "  (at most \(.limit))")
