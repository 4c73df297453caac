// Sums of a row-major float32 matrix: along its rows (target[rows]) or its columns (target[columns]), times a factor. A
// group makes one sum, always in the same order.
#version 450

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const bool ALONG_COLUMNS = false;
layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint rows, columns;
  float factor;
} push;

shared float part[64];

void main() {
  const uint self = gl_LocalInvocationID.x;
  const uint outputs = ALONG_COLUMNS ? push.columns : push.rows;
  const uint length = ALONG_COLUMNS ? push.rows : push.columns;
  for (uint o = gl_WorkGroupID.x; o < outputs; o += gl_NumWorkGroups.x) {
    float sum = 0.0;
    for (uint i = self; i < length; i += 64) sum += sources[0].v[ALONG_COLUMNS ? i * push.columns + o : o * push.columns + i];
    part[self] = sum;
    barrier();
    for (uint count = 32; count > 0; count /= 2) {
      if (self < count) part[self] += part[self + count];
      barrier();
    }
    if (self == 0) target.v[o] = part[0] * push.factor;
    barrier();
  }
}
