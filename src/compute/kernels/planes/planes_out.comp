// variants: ff
// Converts a rectangle of a picture with one vector per pixel to planes for the host.
//
// sources[0] [h, w, 4]; words (the binding of `residual`) [PLANES][h][w] float32; `target` is not used
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint PLANES = 3;

layout(set = 0, binding = 4) buffer Words { float v[]; } words;

layout(push_constant) uniform Push {
  uint offset;  // position of the rectangle in the source
  uint width;   // width of the source
  uint extent;  // size of the rectangle
} push;

void main() {
  const uvec2 extent = pair(push.extent);
  const uvec2 at = gl_GlobalInvocationID.xy;
  if (any(greaterThanEqual(at, extent))) return;
  const uvec2 from = pair(push.offset) + at;
  const vec4 value = sources[0].v[from.y * push.width + from.x];
  for (uint c = 0; c < PLANES; ++c) words.v[c * extent.x * extent.y + at.y * extent.x + at.x] = value[c];
}
