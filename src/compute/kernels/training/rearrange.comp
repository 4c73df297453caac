// target[to(i)] (+)= sources[0][from(i)]: values that change places.
//
// KIND 0  transpose: `a` rows, `b` columns
//      1  small to large pixels: h = a, w = b, channels = c, factor = d, as nn::train::PixelShuffle
//      2  large to small: the same
//      3  some channels of rows of `a` to some of rows of `b`: `c` channels, from `d` and to `e` on
#version 450

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint KIND = 0;

layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint count, accumulate;
  uint a, b, c, d, e;
} push;

// Of the large picture's value i.
uint source_index(uint i) {
  const uint channel = i % push.c;
  const uint pixel = i / push.c;
  const uint wide = push.b * push.d;
  const uint x = pixel % wide, line = pixel / wide;  // lines of all images
  const uint at = line / push.d * push.b + x / push.d;
  return ((at * push.c + channel) * push.d + line % push.d) * push.d + x % push.d;
}

void main() {
  for (uint i = gl_GlobalInvocationID.x; i < push.count; i += gl_NumWorkGroups.x * 64) {
    uint from = i, to = i;
    if (KIND == 0) {
      from = i % push.a * push.b + i / push.a;
    } else if (KIND == 1) {
      from = source_index(i);
    } else if (KIND == 2) {
      to = source_index(i);
    } else {
      from = i / push.c * push.a + push.d + i % push.c;
      to = i / push.c * push.b + push.e + i % push.c;
    }
    const float value = sources[0].v[from];
    target.v[to] = push.accumulate != 0 ? target.v[to] + value : value;
  }
}
