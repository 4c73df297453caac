// variants: ff hf hh
// Pixel shuffle: channel (c * FACTOR + y) * FACTOR + x of a source pixel goes to channel c of pixel (y, x) of its block;
// then the second source, enlarged by nearest neighbour, may be added.
//
// sources[0] features; with HAS_BASE the target has one vector of channels and `residual` is the picture under it
// parameters which channel of a group goes to (y, x): FACTOR * FACTOR numbers, four to a vector
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
  uint offset;         // the source's pixel under the target's (0, 0)
  uint width;          // of the source
  uint phase;          // of the target's (0, 0) in its block
  uint target_extent;
  uint base_offset;
  uint base_width;
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
