// c = a * b, or c += a * b, of row-major float32 matrices; either may be read transposed.
//
// sources[0] a: [M, K], or [K, M] with TRANSPOSED_A; sources[1] b: [K, N], or [N, K] with TRANSPOSED_B; target c: [M, N]
// A group makes 16 x 16 of c, an invocation 2 x 2, over shared pieces of 16 x 16.
#version 450

layout(local_size_x = 8, local_size_y = 8, local_size_z = 1) in;
layout(constant_id = 0) const bool TRANSPOSED_A = false;
layout(constant_id = 1) const bool TRANSPOSED_B = false;
layout(constant_id = 2) const bool ADD = false;

layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint m, n, k;
  uint first_row;  // of c, for a run that makes some of its rows
} push;

shared float a[16][17];
shared float b[16][17];

void main() {
  const uvec2 local = gl_LocalInvocationID.xy;
  const uvec2 corner = gl_WorkGroupID.xy * 16 + uvec2(0, push.first_row);  // x: column of c, y: row
  float sum[2][2] = float[2][2](float[2](0.0, 0.0), float[2](0.0, 0.0));
  for (uint first = 0; first < push.k; first += 16) {
    for (uint i = 0; i < 4; ++i) {
      const uint row = local.y + 8 * (i / 2);
      const uint column = local.x + 8 * (i % 2);
      const uint am = corner.y + row, ak = first + column;
      const uint bk = first + row, bn = corner.x + column;
      a[row][column] = am < push.m && ak < push.k
                           ? sources[0].v[TRANSPOSED_A ? ak * push.m + am : am * push.k + ak] : 0.0;
      b[row][column] = bk < push.k && bn < push.n
                           ? sources[1].v[TRANSPOSED_B ? bn * push.k + bk : bk * push.n + bn] : 0.0;
    }
    barrier();
    for (uint k = 0; k < 16; ++k) {
      for (uint r = 0; r < 2; ++r) {
        for (uint c = 0; c < 2; ++c) sum[r][c] += a[local.y + 8 * r][k] * b[k][local.x + 8 * c];
      }
    }
    barrier();
  }
  for (uint r = 0; r < 2; ++r) {
    for (uint c = 0; c < 2; ++c) {
      const uint row = corner.y + local.y + 8 * r;
      const uint column = corner.x + local.x + 8 * c;
      if (row >= push.m || column >= push.n) continue;
      const uint at = row * push.n + column;
      target.v[at] = ADD ? target.v[at] + sum[r][c] : sum[r][c];
    }
  }
}
