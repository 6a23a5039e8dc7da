// Weighted sums along rows or columns, for more weights than MPSImageConvolution is known to take.
#include <metal_stdlib>
#include "arguments.h"
using namespace metal;

kernel void weigh(device const float* weights [[buffer(0)]], constant WeighArguments& a [[buffer(1)]],
                  texture2d<float, access::read> src [[texture(0)]], texture2d<float, access::write> dst [[texture(1)]],
                  uint3 at [[thread_position_in_grid]]) {
  if (at.x >= a.width || at.y >= a.height) return;
  const int half_count = int(a.count / 2), right = int(a.source_width) - 1, bottom = int(a.source_height) - 1;
  float4 total = float4(0.0f, 0.0f, 0.0f, 0.0f), sum = total;  // in two levels: thousands of terms in a row would lose digits
  for (int i = 0; i < int(a.count); ++i) {
    if (i % 64 == 0) {
      total = total + sum;
      sum = float4(0.0f, 0.0f, 0.0f, 0.0f);
    }
    const int x = int(at.x) + a.source_x + (a.is_column ? 0 : i - half_count);
    const int y = int(at.y) + a.source_y + (a.is_column ? i - half_count : 0);
    const int near_x = clamp(x, 0, right), near_y = clamp(y, 0, bottom);
    if (a.is_zero && (x != near_x || y != near_y)) continue;
    sum = sum + weights[i] * src.read(uint2(uint(near_x), uint(near_y)));
  }
  dst.write(total + sum, uint2(a.target_x + at.x, a.target_y + at.y));
}
