// variants: ff hh
// Copies the channels of one source to their position in the target. They may begin and end within a vector of four
// channels. The kernel is run once for each source, in order. An invocation writes one vector of one pixel.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 8, local_size_y = 8, local_size_z = 1) in;
layout(constant_id = 0) const uint IN_VECTORS = 1;
layout(constant_id = 1) const uint OUT_VECTORS = 1;
layout(constant_id = 2) const uint FIRST = 0;     // first channel in the target
layout(constant_id = 3) const uint CHANNELS = 4;  // number of channels of the source
layout(constant_id = 4) const bool LAST = false;  // last source: the other channels of the last vector become zero

layout(push_constant) uniform Push {
  uint offset;  // pixel (x, y) of the source for target pixel (0, 0)
  uint width;   // width of the source
  uint target_extent;
} push;

void main() {
  const uvec2 extent = pair(push.target_extent);
  const uvec2 at = gl_GlobalInvocationID.xy;
  const uint vector = FIRST / 4 + gl_GlobalInvocationID.z;
  if (any(greaterThanEqual(at, extent))) return;
  const uvec2 pixel = uvec2(signed_pair(push.offset)) + at;
  const uint from = (pixel.y * push.width + pixel.x) * IN_VECTORS;
  const uint to = (at.y * extent.x + at.x) * OUT_VECTORS + vector;
  // A vector that also has channels of the previous source keeps them; that source was copied by an earlier run.
  vec4 value = vector * 4 < FIRST ? vec4(target.v[to]) : vec4(0.0);
  for (uint i = 0; i < 4; ++i) {
    const uint channel = vector * 4 + i;
    if (channel < FIRST || channel >= FIRST + CHANNELS) continue;
    const uint c = channel - FIRST;
    value[i] = vec4(sources[0].v[from + c / 4])[c % 4];
  }
  target.v[to] = TARGET(value);
}
