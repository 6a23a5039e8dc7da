// Shaders of the self-test.
#include <metal_stdlib>
using namespace metal;

struct DoubleArguments {
  unsigned int count;
};

/* kernel void not_one(device float* p [[buffer(0)]]) */
kernel void test_double(device const float* src [[buffer(0)]], device float* dst [[buffer(1)]],
                        constant DoubleArguments& a [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  if (i >= a.count) return;
  dst[i] = 2.0f * src[i];
}

kernel void test_swap(texture2d<float, access::read> src [[texture(0)]], texture2d<float, access::write> dst [[texture(1)]],
                      uint2 at [[thread_position_in_grid]]) {
  if (at.x >= src.get_width() || at.y >= src.get_height()) return;
  float4 pixel = src.read(at);
  dst.write(float4(pixel.z, pixel.y, pixel.x, 0.5f), at);
}
