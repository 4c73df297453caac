// variants: ff hh
// Resize: every target pixel is a weighted sum of TAPS x TAPS source pixels; edge pixels are repeated. Source and
// target are parts of whole pictures. An invocation computes one vector of channels of one pixel.
//
// parameters for each column, then for each row of the whole target: 1 + TAPS floats, which are the position of the
//            first tap in the whole source, and the weights of the taps
#version 450
#extension GL_GOOGLE_include_directive : require
#include "interface.glsl"

layout(local_size_x = 8, local_size_y = 8, local_size_z = 1) in;
layout(constant_id = 0) const uint TAPS = 4;
layout(constant_id = 1) const uint VECTORS = 1;

layout(push_constant) uniform Push {
  uint origin_x, origin_y;         // position of the target's first pixel in the whole target
  uint columns;                    // width of the whole target
  int source_x, source_y;          // position of the source buffer's first pixel in the whole source
  uint source_width;               // width of the source buffer, which has a part of the whole source
  int whole_width, whole_height;   // size of the whole source
  uint target_extent;
} push;

float table(uint word) { return parameters.v[word / 4][word % 4]; }

void main() {
  const uvec2 extent = pair(push.target_extent);
  const uvec2 at = gl_GlobalInvocationID.xy;
  const uint vector = gl_GlobalInvocationID.z;
  if (any(greaterThanEqual(at, extent))) return;
  const uint column = (push.origin_x + at.x) * (TAPS + 1);
  const uint row = (push.columns + push.origin_y + at.y) * (TAPS + 1);
  const int first_x = int(table(column));
  const int first_y = int(table(row));
  vec4 sum = vec4(0.0);
  for (uint j = 0; j < TAPS; ++j) {
    const int y = clamp(first_y + int(j), 0, push.whole_height - 1) - push.source_y;
    vec4 across = vec4(0.0);
    for (uint i = 0; i < TAPS; ++i) {
      const int x = clamp(first_x + int(i), 0, push.whole_width - 1) - push.source_x;
      across += table(column + 1 + i) * vec4(sources[0].v[(uint(y) * push.source_width + uint(x)) * VECTORS + vector]);
    }
    sum += table(row + 1 + j) * across;
  }
  target.v[(at.y * extent.x + at.x) * VECTORS + vector] = TARGET(sum);
}
