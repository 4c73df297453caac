// variants: ff hh
// Copies what the input has and fills up what lies beyond its edges; see filled_from in padding.hpp.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 8, local_size_y = 8, local_size_z = 1) in;
layout(constant_id = 0) const uint VECTORS = 1;
layout(constant_id = 1) const uint CHANNELS = 4;  // the rest of the last vector stays zero
layout(constant_id = 2) const uint MODE = 0;      // constant, replicate, reflect

layout(push_constant) uniform Push {
  int first_x, first_y;           // the place in the input of the target's first pixel
  int whole_width, whole_height;  // of the input
  int source_x, source_y;         // the place of input (0, 0) in what is held of it
  uint source_width;
  uint target_extent;
  float value;
} push;

int padding_source(int position, int extent) {
  if (position >= 0 && position < extent) return position;
  if (MODE == 0) return -1;
  if (MODE == 1 || extent == 1) return clamp(position, 0, extent - 1);
  const int period = 2 * (extent - 1);
  const int within = abs(position) % period;  // a mirror: the same on both sides of 0
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
