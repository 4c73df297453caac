// variants: ff hf
// Adds the values of each channel in a rectangle to a sum over the whole picture. Values are limited to -10^9..10^9,
// rounded to multiples of 2^-24 and summed as 64-bit integers. So the sum does not depend on the order of invocations
// or on the tiles of the picture. A sum is stored as four parts of 16 bits, each in a word of 32 bits: 65536 additions
// to a word cannot overflow. mean_carry.comp then carries the upper bits of each word to the next.
//
// sources[0] features
// sums       (the binding of `residual`) [4 * VECTORS channels][4] words, the lowest part first; `target` is not used
// A workgroup processes 64 x 16 pixels of one vector of channels.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint VECTORS = 1;

layout(set = 0, binding = 4) buffer Sums { uint v[]; } sums;

layout(push_constant) uniform Push {
  uint offset;  // position of the rectangle in the source
  uint width;   // width of the source
  uint extent;  // size of the rectangle
} push;

// A 64-bit integer is a uvec2: the low and the high word.
shared uvec2 part[64];

uvec2 plus(uvec2 a, uvec2 b) {
  uint carry;
  const uint low = uaddCarry(a.x, b.x, carry);
  return uvec2(low, a.y + b.y + carry);
}

// Returns x in units of 2^-24.
uvec2 fixed_point(float x) {
  const float whole = floor(clamp(x, -1.0e9, 1.0e9));
  const uint fraction = uint(round((x - whole) * 16777216.0));
  const int i = int(whole);
  return plus(uvec2(uint(i) << 24, uint(i >> 8)), uvec2(fraction, 0u));
}

void main() {
  const uvec2 extent = pair(push.extent);
  const uvec2 origin = pair(push.offset);
  const uint vector = gl_WorkGroupID.z;
  const uint x = gl_WorkGroupID.x * 64 + gl_LocalInvocationID.x;
  uvec2 own[4];
  for (uint i = 0; i < 4; ++i) own[i] = uvec2(0u);
  for (uint r = 0; r < 16; ++r) {
    const uint y = gl_WorkGroupID.y * 16 + r;
    if (x >= extent.x || y >= extent.y) break;
    const vec4 value = vec4(sources[0].v[((origin.y + y) * push.width + origin.x + x) * VECTORS + vector]);
    for (uint i = 0; i < 4; ++i) own[i] = plus(own[i], fixed_point(value[i]));
  }
  for (uint i = 0; i < 4; ++i) {
    part[gl_LocalInvocationID.x] = own[i];
    barrier();
    for (uint half_count = 32; half_count > 0; half_count /= 2) {
      if (gl_LocalInvocationID.x < half_count)
        part[gl_LocalInvocationID.x] = plus(part[gl_LocalInvocationID.x], part[gl_LocalInvocationID.x + half_count]);
      barrier();
    }
    if (gl_LocalInvocationID.x == 0) {
      const uint at = (vector * 4 + i) * 4;
      atomicAdd(sums.v[at], part[0].x & 0xFFFFu);
      atomicAdd(sums.v[at + 1], part[0].x >> 16);
      atomicAdd(sums.v[at + 2], part[0].y & 0xFFFFu);
      atomicAdd(sums.v[at + 3], part[0].y >> 16);
    }
    barrier();
  }
}
