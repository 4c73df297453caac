// variants: ff hh fh hf
// Transposed convolution. Pixel (y, x) of the full result (the result before its edges are cropped) belongs to the
// position (y / FACTOR, x / FACTOR), which is a source pixel, and to the phase (y % FACTOR, x % FACTOR). It is a
// weighted sum of TAPS x TAPS source pixels; the last of them, to the right and below, is that of the position. An
// invocation computes one vector of channels of one pixel.
//
// source     [h, w, 4 * IN_VECTORS]; pixels outside of it are zero
// target     [h, w, 4 * OUT_VECTORS]
// weights    [OUT_VECTORS][KERNEL][KERNEL][IN_VECTORS][4 inputs], vectors of four outputs
// parameters bias, then slopes: OUT_VECTORS vectors each
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 8, local_size_y = 8, local_size_z = 1) in;
layout(constant_id = 0) const uint KERNEL = 2;
layout(constant_id = 1) const uint FACTOR = 2;  // stride of the transposed convolution
layout(constant_id = 2) const uint TAPS = 1;    // ceil(KERNEL / FACTOR)
layout(constant_id = 3) const uint OUT_VECTORS = 1;
layout(constant_id = 4) const bool GATED = false;
layout(constant_id = 5) const bool HAS_RESIDUAL = false;
layout(constant_id = 6) const bool GATED_RESIDUAL = false;
layout(constant_id = 7) const uint IN_VECTORS = 1;

layout(push_constant) uniform Push {
  uint offset;  // source pixel for the first tap of the position of target pixel (0, 0)
  uint extent;  // width and height of the source
  uint phase;   // phase of target pixel (0, 0)
  uint target_extent;
  uint rows;    // first target row to compute, and number of rows
  uint residual_offset;
  uint residual_width;
  float alpha, beta;
} push;

#include "epilogue.glsl"

void main() {
  const uvec2 extent = pair(push.target_extent);
  const uvec2 rows = pair(push.rows);
  const uint vector = gl_GlobalInvocationID.z;
  const uint x = gl_GlobalInvocationID.x;
  const uint y = rows.x + gl_GlobalInvocationID.y;
  if (x >= extent.x || y >= rows.x + rows.y) return;

  const uvec2 full = pair(push.phase) + uvec2(x, y);
  const uvec2 phase = full % FACTOR;
  const ivec2 first_tap = signed_pair(push.offset) + ivec2(full / FACTOR);
  const ivec2 size = ivec2(pair(push.extent));
  vec4 sum = vec4(0.0);
  for (uint ty = 0; ty < TAPS; ++ty) {
    for (uint tx = 0; tx < TAPS; ++tx) {
      const uvec2 k = phase + FACTOR * (TAPS - 1 - uvec2(tx, ty));
      const ivec2 pixel = first_tap + ivec2(int(tx), int(ty));
      if (k.x >= KERNEL || k.y >= KERNEL || any(lessThan(pixel, ivec2(0))) || any(greaterThanEqual(pixel, size))) continue;
      uint w = ((vector * KERNEL + k.y) * KERNEL + k.x) * IN_VECTORS * 4;
      const uint at = (uint(pixel.y) * uint(size.x) + uint(pixel.x)) * IN_VECTORS;
      for (uint v = 0; v < IN_VECTORS; ++v, w += 4) {
        vec4 value = vec4(sources[0].v[at + v]);
        if (GATED) value *= gate.v[v];
        sum += value.x * vec4(weights.v[w]) + value.y * vec4(weights.v[w + 1]) + value.z * vec4(weights.v[w + 2]) +
               value.w * vec4(weights.v[w + 3]);
      }
    }
  }
  const uvec2 other = uvec2(signed_pair(push.residual_offset) + ivec2(int(x), int(y)));
  const vec4 value = finished(sum, vector, other.y * push.residual_width + other.x, push.alpha, push.beta);
  target.v[(y * extent.x + x) * OUT_VECTORS + vector] = TARGET(value);
}
