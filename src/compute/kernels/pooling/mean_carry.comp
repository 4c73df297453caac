// variants: ff
// Carries the bits above the lowest 16 of each word in the sums of mean_add.comp to the next word, so that more values
// can be added. With FINISH it also computes the means.
//
// sums (the binding of `residual`) [channels][4] words; target [channels] float32
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint VECTORS = 1;
layout(constant_id = 1) const bool FINISH = false;

layout(set = 0, binding = 4) buffer Sums { uint v[]; } sums;

layout(push_constant) uniform Push {
  float pixels;  // number of pixels of the whole picture
} push;

void main() {
  const uint vector = gl_GlobalInvocationID.x;
  if (vector >= VECTORS) return;
  vec4 mean;
  for (uint i = 0; i < 4; ++i) {
    const uint at = (vector * 4 + i) * 4;
    uint word[4];
    uint carry = 0u;
    for (uint k = 0; k < 4; ++k) {
      const uint sum = sums.v[at + k] + carry;
      word[k] = sum & 0xFFFFu;
      carry = sum >> 16;
      sums.v[at + k] = word[k];
    }
    // The sum is a 64-bit integer in two's complement, in units of 2^-24.
    const uint low = word[0] | (word[1] << 16);
    const int high = int(word[2] | (word[3] << 16));
    mean[i] = (float(high) * 256.0 + float(low) * 5.9604644775390625e-8) / push.pixels;
  }
  if (FINISH) target.v[vector] = mean;
}
