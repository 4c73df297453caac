// What is done to a sum before it is stored: alpha * act(sum + bias) + beta * residual, act(x) = x < 0 ? slope * x : x.
// Needs interface.glsl, and constants OUT_VECTORS, HAS_RESIDUAL, GATED_RESIDUAL. parameters: bias, then slope.
vec4 finished(vec4 sum, uint vector, uint residual_pixel, float alpha, float beta) {
  sum += parameters.v[vector];
  sum = mix(sum, sum * parameters.v[OUT_VECTORS + vector], lessThan(sum, vec4(0.0)));
  if (!HAS_RESIDUAL) return alpha * sum;
  vec4 other = vec4(residual.v[residual_pixel * OUT_VECTORS + vector]);
  if (GATED_RESIDUAL) other *= second_gate.v[vector];
  return alpha * sum + beta * other;
}
