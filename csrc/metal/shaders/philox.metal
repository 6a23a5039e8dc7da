// Random matrices of Philox4x32-10. The arithmetic is that of the CPU engine, operation for operation.
#include <metal_stdlib>
#include "arguments.h"
using namespace metal;

static float logarithm(float x) {  // of a normal number up to 1
  const int bits = as_type<int>(x);
  const int exponent = (bits - 0x3f3504f3) >> 23;
  const float f = as_type<float>(bits - (exponent << 23)) - 1.0f, e = float(exponent);
  float p = fma(f, 0.06746643f, -0.116756566f);
  p = fma(f, p, 0.118881635f);
  p = fma(f, p, -0.124055885f);
  p = fma(f, p, 0.14219552f);
  p = fma(f, p, -0.16667996f);
  p = fma(f, p, 0.20002119f);
  p = fma(f, p, -0.2500001f);
  p = fma(f, p, 0.33333313f);
  const float small = fma(e, 1.4286068e-06f, fma(f * f, fma(f, p, -0.5f), 0.0f));
  return fma(e, 0.69314575f, f + small);
}

// The inverse of the normal distribution.
static float normal_quantile(float p) {
  const float w = -logarithm(4.0f * p * (1.0f - p));
  float q;
  if (w < 5.0f) {
    const float v = w - 2.5f;
    q = fma(v, 4.036036e-08f, 4.8610497e-07f);
    q = fma(v, q, -4.990638e-06f);
    q = fma(v, q, -6.2180056e-06f);
    q = fma(v, q, 3.091505e-04f);
    q = fma(v, q, -0.0017730101f);
    q = fma(v, q, -0.005908171f);
    q = fma(v, q, 0.34880266f);
    q = fma(v, q, 2.1233137f);
  } else {
    const float v = sqrt(w) - 3.5f;
    q = fma(v, -1.395563e-05f, 3.9122056e-05f);
    q = fma(v, q, 6.484593e-05f);
    q = fma(v, q, -3.8695443e-04f);
    q = fma(v, q, 6.851986e-04f);
    q = fma(v, q, -9.1253873e-04f);
    q = fma(v, q, 0.0014986228f);
    q = fma(v, q, -0.0029338999f);
    q = fma(v, q, 0.0046443995f);
    q = fma(v, q, 1.4246364f);
    q = fma(v, q, 4.7170887f);
  }
  return (2.0f * p - 1.0f) * q;
}

static float number(uint word, constant RandomArguments& a) {
  const float k = float(word >> 9);
  if (a.kind == random_uniform) return min(fma(a.range, k * 1.1920929e-07f, a.minimum), a.most);
  const float z = a.sign * normal_quantile(fma(a.span, (k + 0.5f) * 1.1920929e-07f, a.first_part));
  return max(a.least, min(a.most, fma(a.deviation, z, a.mean)));
}

// A block of four words for each position; elements are counted from the first that is filled.
kernel void philox(device uchar* dst [[buffer(0)]], constant RandomArguments& a [[buffer(1)]], uint3 at [[thread_position_in_grid]]) {
  const ulong position = ulong(at.y) * a.width + at.x, block = a.first / 4 + position;
  if (at.x >= a.width || position >= a.blocks) return;
  uint c0 = 0, c1 = 0, c2 = uint(block >> 32), c3 = uint(block), k0 = a.key_low, k1 = a.key_high;
  for (int round = 0; round < 10; ++round) {
    const ulong p0 = ulong(0xD2511F53u) * c0, p1 = ulong(0xCD9E8D57u) * c2;
    c0 = uint(p1 >> 32) ^ c1 ^ k0;
    c1 = uint(p1);
    c2 = uint(p0 >> 32) ^ c3 ^ k1;
    c3 = uint(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (uint i = 0; i < 4; ++i) {
    const uint word = i == 0 ? c0 : i == 1 ? c1 : i == 2 ? c2 : c3;
    const ulong index = block * 4 + i;
    if (index < a.first || index - a.first >= a.count) continue;
    const ulong element = index - a.first, row = element / a.columns;
    device uchar* to = dst + a.offset + row / a.rows * a.matrix_bytes + row % a.rows * a.row_bytes + element % a.columns * 4;
    if (a.kind == random_words) *(device uint*)to = word;
    else *(device float*)to = number(word, a);
  }
}
