// Applies an activation to each component. `kind` is the value of an nn::Activation::Kind; a and b are the fields of
// nn::Activation.
vec4 activated(vec4 x, uint kind, float a, float b) {
  if (kind == 1) return max(x, vec4(0.0));
  if (kind == 2) return mix(x, x * a, lessThan(x, vec4(0.0)));
  if (kind == 3) return clamp(x, vec4(a), vec4(b));
  if (kind == 4) return 1.0 / (1.0 + exp(-x));
  return x;
}
