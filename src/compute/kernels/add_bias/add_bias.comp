// target[y, x] = source[y, x] + bias[x], row-major float32. sources[0] the matrix, sources[1] the bias.
#version 450

layout(local_size_x = 8, local_size_y = 8, local_size_z = 1) in;
layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint rows, columns;
} push;

void main() {
  const uvec2 at = gl_GlobalInvocationID.xy;
  if (at.x >= push.columns || at.y >= push.rows) return;
  const uint i = at.y * push.columns + at.x;
  target.v[i] = sources[0].v[i] + sources[1].v[at.x];
}
