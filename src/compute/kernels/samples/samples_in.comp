// variants: ff
// Three planes of 8-bit samples as the host wrote them become one picture of one vector a pixel, the fourth channel zero.
//
// words  [3][h][w] bytes, four to a word; target [h, w, 4] = sample * unit
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;

layout(set = 0, binding = 4) readonly buffer Words { uint v[]; } words;

layout(push_constant) uniform Push {
  uint extent;
  float unit;  // as the host has it, so that the products are the host's
} push;

float value(uint i) { return float(bitfieldExtract(words.v[i / 4], int(i % 4) * 8, 8)) * push.unit; }

void main() {
  const uvec2 extent = pair(push.extent);
  const uvec2 at = gl_GlobalInvocationID.xy;
  if (any(greaterThanEqual(at, extent))) return;
  const uint plane = extent.x * extent.y;
  const uint pixel = at.y * extent.x + at.x;
  target.v[pixel] = vec4(value(pixel), value(plane + pixel), value(2 * plane + pixel), 0.0);
}
