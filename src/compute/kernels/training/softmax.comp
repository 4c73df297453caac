// Cross-entropy of softmax, one invocation per row: target[row] = -sum_c t[c] log(softmax(p)[c]). With BACK, its
// gradient: target = gradient[0] / rows * (softmax(p) - t), or += if `accumulate` is not 0. sources[0] is the
// prediction p, sources[1] the values t to predict, both [rows][channels]; sources[2] is the gradient of the mean loss,
// one value.
#version 450

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const bool BACK = false;

layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(push_constant) uniform Push {
  uint rows, channels, accumulate;
} push;

// Returns log(sum exp) of a row without overflow.
float log_sum(uint first) {
  float most = sources[0].v[first];
  for (uint c = 1; c < push.channels; ++c) most = max(most, sources[0].v[first + c]);
  float sum = 0.0;
  for (uint c = 0; c < push.channels; ++c) sum += exp(sources[0].v[first + c] - most);
  return most + log(sum);
}

void main() {
  for (uint row = gl_GlobalInvocationID.x; row < push.rows; row += gl_NumWorkGroups.x * 64) {
    const uint first = row * push.channels;
    const float all = log_sum(first);
    float loss = 0.0;
    for (uint i = first; i < first + push.channels; ++i) {
      const float p = sources[0].v[i], t = sources[1].v[i];
      if (BACK) {
        const float gradient = sources[2].v[0] / float(push.rows) * (exp(p - all) - t);
        target.v[i] = push.accumulate != 0 ? target.v[i] + gradient : gradient;
      } else {
        loss += t * (all - p);
      }
    }
    if (!BACK) target.v[row] = loss;
  }
}
