// One step of Adam, or of SGD (stochastic gradient descent) with momentum, for `count` weights. adam() and sgd() in
// elementwise.hpp compute the same on the CPU. sources[0] is the gradient; sources[1] has one value, the sum of the
// squares of all gradients; target is the weights. The binding of `residual` is the mean of the gradients (Adam) or the
// velocity (SGD), that of `gate` the mean of the squares (Adam). If `clips` is not 0, gradients are scaled so that
// their norm is at most `most`.
#version 450

layout(local_size_x = 64, local_size_y = 1, local_size_z = 1) in;
layout(constant_id = 0) const bool ADAM = false;

layout(set = 0, binding = 0) readonly buffer Sources { float v[]; } sources[8];
layout(set = 0, binding = 1) buffer Target { float v[]; } target;
layout(set = 0, binding = 4) buffer Residual { float v[]; } mean;
layout(set = 0, binding = 5) buffer Gate { float v[]; } square;
layout(push_constant) uniform Push {
  uint count, clips;
  float most, rate, decay;  // largest norm, learning rate, weight decay
  float beta1, beta2, epsilon, correct1, correct2;  // as in AdamJob (training.hpp); SGD: beta1 is the momentum
} push;

float scale_of_gradients() {
  if (push.clips == 0) return 1.0;
  const float norm = sqrt(sources[1].v[0]);
  return norm > push.most ? push.most / norm : 1.0;
}

void main() {
  const float scale = scale_of_gradients();
  for (uint i = gl_GlobalInvocationID.x; i < push.count; i += gl_NumWorkGroups.x * 64) {
    const float g = scale * sources[0].v[i];
    const float weight = target.v[i];
    if (ADAM) {
      const float m = push.beta1 * mean.v[i] + (1.0 - push.beta1) * g;
      const float v = push.beta2 * square.v[i] + (1.0 - push.beta2) * g * g;
      mean.v[i] = m;
      square.v[i] = v;
      target.v[i] = weight - push.rate * push.decay * weight -
                    push.rate * (m * push.correct1) / (sqrt(v * push.correct2) + push.epsilon);
    } else {
      const float v = push.beta1 * mean.v[i] + g;
      mean.v[i] = v;
      target.v[i] = weight - push.rate * (v + push.decay * weight);
    }
  }
}
