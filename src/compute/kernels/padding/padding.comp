// variants: ff hh
// Copies the input and adds padding at its edges, as padding_source() in padding.hpp defines. An invocation computes
// one vector of channels of one pixel.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 8, local_size_y = 8, local_size_z = 1) in;
layout(constant_id = 0) const uint VECTORS = 1;
layout(constant_id = 1) const uint CHANNELS = 4;  // the other channels of the last vector stay zero
layout(constant_id = 2) const uint MODE = 0;      // a PaddingMode: 0 constant, 1 replicate, 2 reflect

layout(push_constant) uniform Push {
  int first_x, first_y;           // position of the target's first pixel in the whole input
  int whole_width, whole_height;  // size of the whole input
  int source_x, source_y;         // position of input pixel (0, 0) in the source buffer, which has a part of the input
  uint source_width;
  uint target_extent;
  float value;
} push;

int padding_source(int position, int extent) {
  if (position >= 0 && position < extent) return position;
  if (MODE == 0) return -1;
  if (MODE == 1 || extent == 1) return clamp(position, 0, extent - 1);
  const int period = 2 * (extent - 1);
  const int within = abs(position) % period;  // the mirrored positions are symmetric around 0
  return min(within, period - within);
}

void main() {
  const uvec2 extent = pair(push.target_extent);
  const uvec2 at = gl_GlobalInvocationID.xy;
  const uint vector = gl_GlobalInvocationID.z;
  if (any(greaterThanEqual(at, extent))) return;
  const int x = padding_source(push.first_x + int(at.x), push.whole_width);
  const int y = padding_source(push.first_y + int(at.y), push.whole_height);
  const uint to = (at.y * extent.x + at.x) * VECTORS + vector;
  if (x < 0 || y < 0) {
    const uvec4 channel = vector * 4 + uvec4(0, 1, 2, 3);
    target.v[to] = TARGET(mix(vec4(0.0), vec4(push.value), lessThan(channel, uvec4(CHANNELS))));
    return;
  }
  const uint pixel = uint(y + push.source_y) * push.source_width + uint(x + push.source_x);
  target.v[to] = TARGET(vec4(sources[0].v[pixel * VECTORS + vector]));
}
