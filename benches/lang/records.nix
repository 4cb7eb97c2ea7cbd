let
  mod = a: b: a - b * (a / b);
  rows = builtins.genList (i: { id = i; name = "row-${toString i}"; value = mod i 97; }) 100000;
  doubled = map (row: row // { value = row.value * 2; }) rows;
  kept = builtins.filter (row: mod row.value 3 == 0) doubled;
in
builtins.foldl' (sum: row: sum + row.value) 0 kept
