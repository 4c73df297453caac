// variants: ff
// Converts planes, written by the host, to a picture with one vector per pixel; channels after the last plane are zero.
//
// sources[0] [PLANES][h][w] float32; target [h, w, 4]
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint PLANES = 3;

layout(push_constant) uniform Push {
  uint extent;
} push;

// Returns value i of the source.
float word(uint i) { return sources[0].v[i / 4][i % 4]; }

void main() {
  const uvec2 extent = pair(push.extent);
  const uvec2 at = gl_GlobalInvocationID.xy;
  if (any(greaterThanEqual(at, extent))) return;
  const uint pixel = at.y * extent.x + at.x;
  vec4 value = vec4(0.0);
  for (uint c = 0; c < PLANES; ++c) value[c] = word(c * extent.x * extent.y + pixel);
  target.v[pixel] = value;
}
