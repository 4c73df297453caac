// variants: ff hf
// Runs the last pixel shuffle of a network, the addition of the enlarged picture and the conversion to 8-bit samples in
// one kernel: see samples.glsl and pixel_shuffle.comp. sources[0] has the features, parameters the order of channels.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"
#include "samples.glsl"

vec3 pixel(uvec2 at) {
  const uvec2 full = pair(push.phase) + at;
  const uvec2 from = uvec2(signed_pair(push.offset)) + full / FACTOR;
  const uvec2 within = full % FACTOR;
  const uint order_at = within.y * FACTOR + within.x;
  const uint order = uint(parameters.v[order_at / 4][order_at % 4]);
  vec3 value;
  for (uint c = 0; c < 3; ++c) {
    const uint channel = c * FACTOR * FACTOR + order;
    value[c] = vec4(sources[0].v[(from.y * push.width + from.x) * IN_VECTORS + channel / 4])[channel % 4];
  }
  return value;
}

void main() { make_samples(); }
