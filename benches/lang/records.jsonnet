local rows = [{ id: i, name: 'row-%d' % i, value: i % 97 } for i in std.range(0, 99999)];
local doubled = std.map(function(row) row { value: super.value * 2 }, rows);
local kept = std.filter(function(row) row.value % 3 == 0, doubled);

std.foldl(function(sum, row) sum + row.value, kept, 0)
