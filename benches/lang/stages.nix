let
  mod = a: b: a - b * (a / b);
  stage = i: {
    name = "stage-${toString i}";
    command = [ "python" "train.py" "--seed" (toString i) ];
    deps = if i == 0 then [ ] else [ "stage-${toString (i - 1)}" ];
    params = { lr = 0.001; epochs = 20; width = 32 + mod i 64; };
    outs = { model = "model-${toString i}.pt"; metrics = "metrics-${toString i}.json"; };
  };
in
builtins.genList stage 10000
