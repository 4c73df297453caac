// variants: ff
// Inner product of a vector with one value per channel: target[o] = activation(bias[o] + sum_i weight[o, i] * in[i]).
// If IN is 0, only the activation: target = activation(in). The kernel is run with one workgroup.
//
// sources[0] is in: [IN], or [OUT] if IN is 0. weights [OUT][IN]; parameters is the bias [OUT]. All sizes are rounded
// up to vectors of four values.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"
#include "activation.glsl"

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint IN = 1;
layout(constant_id = 1) const uint OUT = 1;
layout(constant_id = 2) const uint ACTIVATION = 0;

layout(push_constant) uniform Push {
  float a, b;
} push;

void main() {
  const uint vectors = (OUT + 3) / 4;
  for (uint vector = gl_LocalInvocationID.x; vector < vectors; vector += 64) {
    vec4 sum = IN == 0 ? sources[0].v[vector] : parameters.v[vector];
    for (uint i = 0; i < IN; ++i) {
      const float value = sources[0].v[i / 4][i % 4];
      for (uint k = 0; k < 4; ++k) {
        const uint at = (vector * 4 + k) * IN + i;
        if (vector * 4 + k < OUT) sum[k] += weights.v[at / 4][at % 4] * value;
      }
    }
    target.v[vector] = activated(sum, ACTIVATION, push.a, push.b);
  }
}
