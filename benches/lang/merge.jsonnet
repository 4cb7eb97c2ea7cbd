local setting(i) = { ['group-%d' % (i % 10)]: { ['stage-%d' % (i % 100)]: { ['key-%d' % i]: i } } };

std.foldl(std.mergePatch, std.makeArray(2000, setting), {})
