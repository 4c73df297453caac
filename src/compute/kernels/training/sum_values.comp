// Sums values, always in the same order. Each workgroup sums `each` of the `count` values: target[group] = factor *
// sum, or += if `accumulate` is not 0. With x = sources[0][i] and t = sources[1][i], the values are
// TERM 0  x
//      1  (x - t)^2
//      2  |x - t|
//      3  sqrt((x - t)^2 + epsilon^2)
//      4  x^2
// 0 to 3 are the values of compute::LossKind.
#version 450

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const uint TERM = 0;

layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint count, each, accumulate;
  float epsilon, factor;
} push;

shared float part[64];

float term(uint i) {
  const float x = sources[0].v[i];
  if (TERM == 0) return x;
  if (TERM == 4) return x * x;
  const float d = x - sources[1].v[i];
  if (TERM == 1) return d * d;
  if (TERM == 2) return abs(d);
  return sqrt(d * d + push.epsilon * push.epsilon);
}

void main() {
  const uint self = gl_LocalInvocationID.x, group = gl_WorkGroupID.x;
  const uint end = min(push.count, (group + 1) * push.each);
  float sum = 0.0;
  for (uint i = group * push.each + self; i < end; i += 64) sum += term(i);
  part[self] = sum;
  barrier();
  for (uint count = 32; count > 0; count /= 2) {
    if (self < count) part[self] += part[self + count];
    barrier();
  }
  if (self == 0) {
    const float value = part[0] * push.factor;
    target.v[group] = push.accumulate != 0 ? target.v[group] + value : value;
  }
}
