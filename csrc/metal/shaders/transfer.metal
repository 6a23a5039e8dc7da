// Pictures between buffers and textures, where no texture can lie on the buffer: three channels or more than four, rows that
// are not aligned. Values pass unchanged: a code of unorm8 or unorm16 comes back as the same code.
#include <metal_stdlib>
#include "arguments.h"
using namespace metal;

static float load_element(device const uchar* bytes, ulong element, uint format) {
  switch (format) {
    case element_unorm8: return float(bytes[element]) / 255.0f;
    case element_unorm16: return float(((device const ushort*)bytes)[element]) / 65535.0f;
    case element_half: return float(((device const half*)bytes)[element]);
    default: return ((device const float*)bytes)[element];
  }
}

static void store_element(device uchar* bytes, ulong element, uint format, float value) {
  switch (format) {
    case element_unorm8: bytes[element] = uchar(rint(value * 255.0f)); break;
    case element_unorm16: ((device ushort*)bytes)[element] = ushort(rint(value * 65535.0f)); break;
    case element_half: ((device half*)bytes)[element] = half(value); break;
    default: ((device float*)bytes)[element] = value;
  }
}

static bool is_inside(uint3 at, constant TransferArguments& a) {
  return at.x < a.width && at.y < a.height && at.z < a.images * a.slices;
}

// The row in the buffer that holds the pixels of this thread's slice.
static ulong row_of(uint3 at, constant TransferArguments& a) {
  return a.offset + ulong(a.first_image + at.z / a.slices) * a.image_bytes + ulong(a.y + at.y) * a.row_bytes;
}

static float4 load_pixel(device const uchar* bytes, uint3 at, constant TransferArguments& a) {
  device const uchar* row = bytes + row_of(at, a);
  float4 pixel = float4(0.0f, 0.0f, 0.0f, 0.0f);  // of channels that do not exist: filters must not meet NaN there
  for (uint i = 0; i < 4; ++i) {
    uint channel = (at.z % a.slices) * 4 + i;
    if (channel < a.channels) pixel[i] = load_element(row, ulong(a.x + at.x) * a.channels + channel, a.format);
  }
  return pixel;
}

static void store_pixel(device uchar* bytes, uint3 at, constant TransferArguments& a, float4 pixel) {
  device uchar* row = bytes + row_of(at, a);
  for (uint i = 0; i < 4; ++i) {
    uint channel = (at.z % a.slices) * 4 + i;
    if (channel >= a.first_channel && channel < a.last_channel)
      store_element(row, ulong(a.x + at.x) * a.channels + channel, a.format, pixel[i]);
  }
}

kernel void load_picture(device const uchar* src [[buffer(0)]], constant TransferArguments& a [[buffer(1)]],
                         texture2d<float, access::write> dst [[texture(0)]], uint3 at [[thread_position_in_grid]]) {
  if (!is_inside(at, a)) return;
  dst.write(load_pixel(src, at, a), uint2(a.x + at.x, a.y + at.y));
}

kernel void load_pictures(device const uchar* src [[buffer(0)]], constant TransferArguments& a [[buffer(1)]],
                          texture2d_array<float, access::write> dst [[texture(0)]], uint3 at [[thread_position_in_grid]]) {
  if (!is_inside(at, a)) return;
  dst.write(load_pixel(src, at, a), uint2(a.x + at.x, a.y + at.y), a.first_layer + at.z);
}

kernel void store_picture(device uchar* dst [[buffer(0)]], constant TransferArguments& a [[buffer(1)]],
                          texture2d<float, access::read> src [[texture(0)]], uint3 at [[thread_position_in_grid]]) {
  if (!is_inside(at, a)) return;
  store_pixel(dst, at, a, src.read(uint2(a.x + at.x, a.y + at.y)));
}

kernel void store_pictures(device uchar* dst [[buffer(0)]], constant TransferArguments& a [[buffer(1)]],
                           texture2d_array<float, access::read> src [[texture(0)]], uint3 at [[thread_position_in_grid]]) {
  if (!is_inside(at, a)) return;
  store_pixel(dst, at, a, src.read(uint2(a.x + at.x, a.y + at.y), a.first_layer + at.z));
}

kernel void copy_picture(constant CopyArguments& a [[buffer(1)]], texture2d<float, access::read> src [[texture(0)]],
                         texture2d<float, access::write> dst [[texture(1)]], uint3 at [[thread_position_in_grid]]) {
  if (at.x >= a.width || at.y >= a.height) return;
  dst.write(src.read(uint2(at.x, at.y)), uint2(at.x, at.y));
}

kernel void copy_pictures(constant CopyArguments& a [[buffer(1)]], texture2d_array<float, access::read> src [[texture(0)]],
                          texture2d_array<float, access::write> dst [[texture(1)]], uint3 at [[thread_position_in_grid]]) {
  if (at.x >= a.width || at.y >= a.height || at.z >= a.layers) return;
  dst.write(src.read(uint2(at.x, at.y), at.z), uint2(at.x, at.y), at.z);
}

kernel void reverse_colors(constant CopyArguments& a [[buffer(1)]], texture2d<float, access::read> src [[texture(0)]],
                           texture2d<float, access::write> dst [[texture(1)]], uint3 at [[thread_position_in_grid]]) {
  if (at.x >= a.width || at.y >= a.height) return;
  float4 pixel = src.read(uint2(at.x, at.y));
  dst.write(float4(pixel[2], pixel[1], pixel[0], pixel[3]), uint2(at.x, at.y));
}
