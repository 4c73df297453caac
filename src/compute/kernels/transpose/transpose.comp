// target[x, y] = source[y, x] of a row-major float32 matrix; through shared memory, so that both sides are read and
// written row by row.
#version 450

layout(local_size_x = 8, local_size_y = 8, local_size_z = 1) in;
layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint rows, columns;
} push;

shared float piece[8][9];

void main() {
  const uvec2 local = gl_LocalInvocationID.xy;
  const uvec2 from = gl_WorkGroupID.xy * 8 + local;
  if (from.x < push.columns && from.y < push.rows) piece[local.y][local.x] = sources[0].v[from.y * push.columns + from.x];
  barrier();
  const uvec2 to = gl_WorkGroupID.yx * 8 + local;
  if (to.x < push.rows && to.y < push.columns) target.v[to.y * push.rows + to.x] = piece[local.x][local.y];
}
