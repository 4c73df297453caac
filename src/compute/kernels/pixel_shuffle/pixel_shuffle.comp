// variants: ff hf hh
// Pixel shuffle: channel (c * FACTOR + y) * FACTOR + x of a source pixel becomes channel c of pixel (y, x) of a block
// of FACTOR x FACTOR pixels (in this order for pictures that are neither mirrored nor transposed: see `parameters`).
// With HAS_BASE, the picture `residual`, enlarged by FACTOR with nearest neighbour, is added; the target then has one
// vector of channels.
//
// sources[0] features
// parameters [y][x]: index, within its group of FACTOR * FACTOR channels, of the channel that becomes pixel (y, x);
// floats
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 8, local_size_y = 8, local_size_z = 1) in;
layout(constant_id = 0) const uint FACTOR = 2;
layout(constant_id = 1) const uint IN_VECTORS = 1;
layout(constant_id = 2) const uint OUT_VECTORS = 1;
layout(constant_id = 3) const uint OUT_CHANNELS = 3;
layout(constant_id = 4) const bool HAS_BASE = false;

layout(push_constant) uniform Push {
  uint offset;         // source pixel for target pixel (0, 0)
  uint width;          // width of the source
  uint phase;          // position of target pixel (0, 0) in its block
  uint target_extent;
  uint base_offset;    // pixel of the picture `residual` for target pixel (0, 0)
  uint base_width;     // width of this picture
} push;

void main() {
  const uvec2 extent = pair(push.target_extent);
  const uvec2 at = gl_GlobalInvocationID.xy;
  const uint vector = gl_GlobalInvocationID.z;
  if (any(greaterThanEqual(at, extent))) return;
  const uvec2 full = pair(push.phase) + at;
  const uvec2 within = full % FACTOR;
  const uvec2 pixel = uvec2(signed_pair(push.offset)) + full / FACTOR;
  const uint order_at = within.y * FACTOR + within.x;
  const uint order = uint(parameters.v[order_at / 4][order_at % 4]);
  vec4 value = vec4(0.0);
  for (uint i = 0; i < 4; ++i) {
    const uint channel = vector * 4 + i;
    if (channel >= OUT_CHANNELS) break;
    const uint from = channel * FACTOR * FACTOR + order;
    value[i] = vec4(sources[0].v[(pixel.y * push.width + pixel.x) * IN_VECTORS + from / 4])[from % 4];
  }
  if (HAS_BASE) {
    const uvec2 base = uvec2(signed_pair(push.base_offset)) + full / FACTOR;
    value += vec4(residual.v[base.y * push.base_width + base.x]);
  }
  target.v[(at.y * extent.x + at.x) * OUT_VECTORS + vector] = TARGET(value);
}
