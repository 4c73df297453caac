// variants: ff
// Converts a picture with one vector per pixel to 8-bit samples: see samples.glsl. sources[0] is [h, w, 4].
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"
#include "samples.glsl"

vec3 pixel(uvec2 at) {
  const uvec2 from = pair(push.offset) + at;
  return sources[0].v[from.y * push.width + from.x].rgb;
}

void main() { make_samples(); }
