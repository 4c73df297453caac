// variants: ff
// Converts three planes of 8-bit samples, written by the host, to a picture with one vector per pixel; the fourth
// channel is zero.
//
// words (the binding of `residual`) [3][h][w] bytes, four in a word; target [h, w, 4] = sample * unit
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;

layout(set = 0, binding = 4) readonly buffer Words { uint v[]; } words;

layout(push_constant) uniform Push {
  uint extent;  // width and height
  float unit;   // the factor that the host uses for samples (1 / 255), so that the products are the same as on the host
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
