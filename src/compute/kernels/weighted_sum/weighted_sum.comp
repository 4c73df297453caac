// variants: ff hh
// target = activation(coefficient[0] * sources[0] + coefficient[1] * sources[1] + ... + constant). The first two
// sources may be multiplied by a factor per channel (gate, second_gate). An invocation computes one vector of channels
// of one pixel.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"
#include "activation.glsl"

layout(local_size_x = 8, local_size_y = 8, local_size_z = 1) in;
layout(constant_id = 0) const uint COUNT = 1;  // number of sources
layout(constant_id = 1) const uint VECTORS = 1;
layout(constant_id = 2) const bool GATED = false;
layout(constant_id = 3) const bool GATED_SECOND = false;
layout(constant_id = 4) const uint ACTIVATION = 0;
layout(constant_id = 5) const uint CHANNELS = 4;

layout(push_constant) uniform Push {
  uint offset[8];  // pixel of each source for target pixel (0, 0)
  uint width[8];   // width of each source
  float coefficient[8];
  float constant, a, b;  // a and b are the parameters of the activation: activation.glsl
  uint target_extent;
} push;

void main() {
  const uvec2 extent = pair(push.target_extent);
  const uvec2 at = gl_GlobalInvocationID.xy;
  const uint vector = gl_GlobalInvocationID.z;
  if (any(greaterThanEqual(at, extent))) return;
  vec4 sum = vec4(push.constant);
  for (uint i = 0; i < COUNT; ++i) {
    const uvec2 pixel = uvec2(signed_pair(push.offset[i])) + at;
    vec4 value = vec4(sources[i].v[(pixel.y * push.width[i] + pixel.x) * VECTORS + vector]);
    if (GATED && i == 0) value *= gate.v[vector];
    if (GATED_SECOND && i == 1) value *= second_gate.v[vector];
    sum += push.coefficient[i] * value;
  }
  sum = activated(sum, ACTIVATION, push.a, push.b);
  for (uint i = 0; i < 4; ++i) {
    if (vector * 4 + i >= CHANNELS) sum[i] = 0.0;  // the padding channels stay zero
  }
  target.v[(at.y * extent.x + at.x) * VECTORS + vector] = TARGET(sum);
}
