// Copies values to other positions: target[to] = sources[0][from], or += if `accumulate` is not 0, where `from` and
// `to` depend on i < count.
//
// KIND 0  transpose of a matrix with `a` rows and `b` columns
//      1  pixel shuffle of images: a = height, b = width, c = output channels, d = factor
//      2  the inverse of KIND 1
//      3  copies `c` channels of each row: channels d.. of rows with `a` channels to channels e.. of rows with `b`
//         channels
#version 450

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint KIND = 0;

layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint count, accumulate;
  uint a, b, c, d, e;
} push;

// Returns the index, before the pixel shuffle, of the value that has index i after it.
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
