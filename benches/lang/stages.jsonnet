local stage(i) = {
  name: 'stage-%d' % i,
  command: ['python', 'train.py', '--seed', '%d' % i],
  deps: if i == 0 then [] else ['stage-%d' % (i - 1)],
  params: { lr: 0.001, epochs: 20, width: 32 + i % 64 },
  outs: { model: 'model-%d.pt' % i, metrics: 'metrics-%d.json' % i },
};

std.makeArray(10000, stage)
