// The epilogue of a convolution. finished() returns the value to store for a sum:
// alpha * act(sum + bias) + beta * gate * residual, where act(x) = x < 0 ? slope * x : x.
// Without HAS_RESIDUAL the residual is zero; without GATED_RESIDUAL the gate is one.
// Needs interface.glsl and the constants OUT_VECTORS, HAS_RESIDUAL and GATED_RESIDUAL. parameters has the bias, then
// the slopes. `vector` is the index of the vector of output channels, `residual_pixel` that of the pixel in the
// residual.
vec4 finished(vec4 sum, uint vector, uint residual_pixel, float alpha, float beta) {
  sum += parameters.v[vector];
  sum = mix(sum, sum * parameters.v[OUT_VECTORS + vector], lessThan(sum, vec4(0.0)));
  if (!HAS_RESIDUAL) return alpha * sum;
  vec4 other = vec4(residual.v[residual_pixel * OUT_VECTORS + vector]);
  if (GATED_RESIDUAL) other *= second_gate.v[vector];
  return alpha * sum + beta * other;
}
