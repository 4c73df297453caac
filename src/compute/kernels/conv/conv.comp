// variants: ff hh fh hf
// Convolution of features with a kernel and a stride of any small size. The channels of several sources are
// concatenated. The activation and the addition of a residual are included.
//
// sources    source p is [h, w, 4 * VECTORS[p]]; pixels outside of a source are zero
// target     [h, w, 4 * OUT_VECTORS]: the pixels to compute
// weights    [OUT_VECTORS][KERNEL][KERNEL][vectors of all sources][4 inputs], vectors of four outputs
// parameters bias, then slopes: OUT_VECTORS vectors each
// gate       factors of the input channels, if GATED; second_gate: those of the residual, if GATED_RESIDUAL
// An invocation computes 4 x 2 pixels of one vector of channels.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 8, local_size_y = 8, local_size_z = 1) in;
layout(constant_id = 0) const uint KERNEL = 3;
layout(constant_id = 1) const uint STRIDE = 1;
layout(constant_id = 2) const uint PARTS = 1;  // number of sources
layout(constant_id = 3) const uint OUT_VECTORS = 1;
layout(constant_id = 4) const bool GATED = false;
layout(constant_id = 5) const bool HAS_RESIDUAL = false;
layout(constant_id = 6) const bool GATED_RESIDUAL = false;
layout(constant_id = 7) const uint IN_VECTORS = 1;  // vectors of all sources together
// Number of vectors per pixel of each source.
layout(constant_id = 8) const uint V0 = 1;
layout(constant_id = 9) const uint V1 = 0;
layout(constant_id = 10) const uint V2 = 0;
layout(constant_id = 11) const uint V3 = 0;
layout(constant_id = 12) const uint V4 = 0;
layout(constant_id = 13) const uint V5 = 0;
layout(constant_id = 14) const uint V6 = 0;
layout(constant_id = 15) const uint V7 = 0;

layout(push_constant) uniform Push {
  // All but the last three are pairs (x, y) in one word: see interface.glsl.
  uint part_offset[8];     // pixel of each source for target pixel (0, 0) and the first tap of the kernel
  uint part_extent[8];     // width and height of each source
  uint target_extent;      // width and height of the target
  uint rows;               // first target row to compute, and number of rows
  uint residual_offset;    // pixel of the residual for target pixel (0, 0)
  uint residual_width;     // width of the residual
  float alpha, beta;
} push;

#include "epilogue.glsl"

const uint COLUMNS = 4;  // pixels of an invocation
const uint ROWS = 2;

void main() {
  const uvec2 extent = pair(push.target_extent);
  const uvec2 rows = pair(push.rows);
  const uint vector = gl_GlobalInvocationID.z;
  const uint x0 = gl_GlobalInvocationID.x * COLUMNS;
  const uint y0 = rows.x + gl_GlobalInvocationID.y * ROWS;
  const uint last_row = rows.x + rows.y;
  if (x0 >= extent.x || y0 >= last_row) return;

  vec4 sums[ROWS][COLUMNS];
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    [[unroll]] for (uint c = 0; c < COLUMNS; ++c) sums[r][c] = vec4(0.0);
  }
  const uint VECTORS[8] = uint[8](V0, V1, V2, V3, V4, V5, V6, V7);
  uint first_vector = 0;
  for (uint part = 0; part < PARTS; ++part) {
    const ivec2 offset = signed_pair(push.part_offset[part]) + ivec2(int(x0 * STRIDE), int(y0 * STRIDE));
    const ivec2 size = ivec2(pair(push.part_extent[part]));
    for (uint ky = 0; ky < KERNEL; ++ky) {
      for (uint kx = 0; kx < KERNEL; ++kx) {
        uint at[ROWS][COLUMNS];
        bool inside[ROWS][COLUMNS];
        [[unroll]] for (uint r = 0; r < ROWS; ++r) {
          [[unroll]] for (uint c = 0; c < COLUMNS; ++c) {
            const ivec2 pixel = offset + ivec2(int(c * STRIDE + kx), int(r * STRIDE + ky));
            inside[r][c] = all(greaterThanEqual(pixel, ivec2(0))) && all(lessThan(pixel, size));
            at[r][c] = inside[r][c] ? (uint(pixel.y) * uint(size.x) + uint(pixel.x)) * VECTORS[part] : 0u;
          }
        }
        uint w = (((vector * KERNEL + ky) * KERNEL + kx) * IN_VECTORS + first_vector) * 4;
        for (uint v = 0; v < VECTORS[part]; ++v, w += 4) {
          vec4 w0 = vec4(weights.v[w]);
          vec4 w1 = vec4(weights.v[w + 1]);
          vec4 w2 = vec4(weights.v[w + 2]);
          vec4 w3 = vec4(weights.v[w + 3]);
          if (GATED) {
            const vec4 factor = gate.v[first_vector + v];
            w0 *= factor.x;
            w1 *= factor.y;
            w2 *= factor.z;
            w3 *= factor.w;
          }
          [[unroll]] for (uint r = 0; r < ROWS; ++r) {
            [[unroll]] for (uint c = 0; c < COLUMNS; ++c) {
              const vec4 value = inside[r][c] ? vec4(sources[part].v[at[r][c] + v]) : vec4(0.0);
              sums[r][c] += value.x * w0 + value.y * w1 + value.z * w2 + value.w * w3;
            }
          }
        }
      }
    }
    first_vector += VECTORS[part];
  }

  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    [[unroll]] for (uint c = 0; c < COLUMNS; ++c) {
      const uint x = x0 + c;
      const uint y = y0 + r;
      if (x >= extent.x || y >= last_row) continue;
      const uvec2 other = uvec2(signed_pair(push.residual_offset) + ivec2(int(x), int(y)));
      const vec4 value = finished(sums[r][c], vector, other.y * push.residual_width + other.x, push.alpha, push.beta);
      target.v[(y * extent.x + x) * OUT_VECTORS + vector] = TARGET(value);
    }
  }
}
