let
  mod = a: b: a - b * (a / b);
  setting = i: { "group-${toString (mod i 10)}"."stage-${toString (mod i 100)}"."key-${toString i}" = i; };
  merge = a: b: a // builtins.mapAttrs
    (k: v: if builtins.isAttrs v && a ? ${k} && builtins.isAttrs a.${k} then merge a.${k} v else v) b;
in
builtins.foldl' merge { } (builtins.genList setting 2000)
