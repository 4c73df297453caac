// Sums each channel of [rows][channels], always in the same order. Part y of the rows (rows_each rows) is summed by the
// workgroups with this y: target[part][channel] = sum, or += if `accumulate` is not 0.
// TERM 0: the sum of sources[0]. TERM 1: the sum of sources[1] * sources[0] where sources[0] is negative; with the
// gradient as sources[1] this is the gradient of PReLU's slopes.
// A workgroup sums 16 channels at the same time; each of the four invocations of a channel sums every fourth row.
#version 450

layout(local_size_x = 16, local_size_y = 4, local_size_z = 1) in;
layout(constant_id = 0) const uint TERM = 0;

layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint rows, channels, rows_each, accumulate;
} push;

shared float partial[4][16];  // the sums of the invocations

float term(uint i) {
  const float x = sources[0].v[i];
  if (TERM == 0) return x;
  return x < 0.0 ? sources[1].v[i] * x : 0.0;
}

void main() {
  const uvec2 self = gl_LocalInvocationID.xy;
  const uint begin = gl_WorkGroupID.y * push.rows_each, end = min(push.rows, begin + push.rows_each);
  for (uint first = gl_WorkGroupID.x * 16; first < push.channels; first += gl_NumWorkGroups.x * 16) {
    const uint channel = first + self.x;
    float sum = 0.0;
    if (channel < push.channels) {
      for (uint row = begin + self.y; row < end; row += 4) sum += term(row * push.channels + channel);
    }
    partial[self.y][self.x] = sum;
    barrier();
    if (self.y == 0 && channel < push.channels) {
      const float all = partial[0][self.x] + partial[1][self.x] + (partial[2][self.x] + partial[3][self.x]);
      const uint at = gl_WorkGroupID.y * push.channels + channel;
      target.v[at] = push.accumulate != 0 ? target.v[at] + all : all;
    }
    barrier();
  }
}
