#include "pixels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "settings.hpp"

namespace standin {
namespace {

struct Known {
  MTLPixelFormat name;
  Format format;
};
constexpr Known known[] = {
    {MTLPixelFormatA8Unorm, {Kind::unorm, 1, 1}},
    {MTLPixelFormatR8Unorm, {Kind::unorm, 1, 1}},
    {MTLPixelFormatR8Snorm, {Kind::snorm, 1, 1}},
    {MTLPixelFormatR8Uint, {Kind::uint, 1, 1}},
    {MTLPixelFormatR8Sint, {Kind::sint, 1, 1}},
    {MTLPixelFormatR16Unorm, {Kind::unorm, 1, 2}},
    {MTLPixelFormatR16Snorm, {Kind::snorm, 1, 2}},
    {MTLPixelFormatR16Uint, {Kind::uint, 1, 2}},
    {MTLPixelFormatR16Sint, {Kind::sint, 1, 2}},
    {MTLPixelFormatR16Float, {Kind::real, 1, 2}},
    {MTLPixelFormatRG8Unorm, {Kind::unorm, 2, 1}},
    {MTLPixelFormatRG8Snorm, {Kind::snorm, 2, 1}},
    {MTLPixelFormatRG8Uint, {Kind::uint, 2, 1}},
    {MTLPixelFormatRG8Sint, {Kind::sint, 2, 1}},
    {MTLPixelFormatR32Uint, {Kind::uint, 1, 4}},
    {MTLPixelFormatR32Sint, {Kind::sint, 1, 4}},
    {MTLPixelFormatR32Float, {Kind::real, 1, 4}},
    {MTLPixelFormatRG16Unorm, {Kind::unorm, 2, 2}},
    {MTLPixelFormatRG16Snorm, {Kind::snorm, 2, 2}},
    {MTLPixelFormatRG16Uint, {Kind::uint, 2, 2}},
    {MTLPixelFormatRG16Sint, {Kind::sint, 2, 2}},
    {MTLPixelFormatRG16Float, {Kind::real, 2, 2}},
    {MTLPixelFormatRGBA8Unorm, {Kind::unorm, 4, 1}},
    {MTLPixelFormatRGBA8Unorm_sRGB, {Kind::unorm, 4, 1, false, true}},
    {MTLPixelFormatRGBA8Snorm, {Kind::snorm, 4, 1}},
    {MTLPixelFormatRGBA8Uint, {Kind::uint, 4, 1}},
    {MTLPixelFormatRGBA8Sint, {Kind::sint, 4, 1}},
    {MTLPixelFormatBGRA8Unorm, {Kind::unorm, 4, 1, true}},
    {MTLPixelFormatBGRA8Unorm_sRGB, {Kind::unorm, 4, 1, true, true}},
    {MTLPixelFormatRG32Uint, {Kind::uint, 2, 4}},
    {MTLPixelFormatRG32Sint, {Kind::sint, 2, 4}},
    {MTLPixelFormatRG32Float, {Kind::real, 2, 4}},
    {MTLPixelFormatRGBA16Unorm, {Kind::unorm, 4, 2}},
    {MTLPixelFormatRGBA16Snorm, {Kind::snorm, 4, 2}},
    {MTLPixelFormatRGBA16Uint, {Kind::uint, 4, 2}},
    {MTLPixelFormatRGBA16Sint, {Kind::sint, 4, 2}},
    {MTLPixelFormatRGBA16Float, {Kind::real, 4, 2}},
    {MTLPixelFormatRGBA32Uint, {Kind::uint, 4, 4}},
    {MTLPixelFormatRGBA32Sint, {Kind::sint, 4, 4}},
    {MTLPixelFormatRGBA32Float, {Kind::real, 4, 4}},
};
const Format* find(MTLPixelFormat name) {
  for (const Known& k : known)
    if (k.name == name) return &k.format;
  return nullptr;
}

template <class T>
T read(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}
template <class T>
void write(std::byte* p, T value) {
  std::memcpy(p, &value, sizeof(T));
}

double load_integer(bool is_signed, int bytes, const std::byte* p) {
  switch (bytes) {
    case 1: return is_signed ? read<std::int8_t>(p) : read<std::uint8_t>(p);
    case 2: return is_signed ? read<std::int16_t>(p) : read<std::uint16_t>(p);
    case 4: return is_signed ? read<std::int32_t>(p) : read<std::uint32_t>(p);
    default: return is_signed ? static_cast<double>(read<std::int64_t>(p)) : static_cast<double>(read<std::uint64_t>(p));
  }
}
template <class T>
void store_clamped(std::byte* p, double value) {
  using Limits = std::numeric_limits<T>;
  // The largest 64-bit integers are no doubles: compare before converting.
  if (!(value > static_cast<double>(Limits::lowest()))) return write(p, std::isnan(value) ? T(0) : Limits::lowest());
  if (value >= static_cast<double>(Limits::max())) return write(p, Limits::max());
  write(p, static_cast<T>(std::nearbyint(value)));
}
void store_integer(bool is_signed, int bytes, std::byte* p, double value) {
  switch (bytes) {
    case 1: return is_signed ? store_clamped<std::int8_t>(p, value) : store_clamped<std::uint8_t>(p, value);
    case 2: return is_signed ? store_clamped<std::int16_t>(p, value) : store_clamped<std::uint16_t>(p, value);
    case 4: return is_signed ? store_clamped<std::int32_t>(p, value) : store_clamped<std::uint32_t>(p, value);
    default: return is_signed ? store_clamped<std::int64_t>(p, value) : store_clamped<std::uint64_t>(p, value);
  }
}
double largest(bool is_signed, int bytes) { return std::ldexp(1.0, 8 * bytes - (is_signed ? 1 : 0)) - 1; }

double from_srgb(double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); }
double to_srgb(double v) { return v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055; }

int component(const Format& f, int channel) { return f.is_bgra && channel < 3 ? 2 - channel : channel; }

}  // namespace

bool is_known(MTLPixelFormat format) { return find(format) != nullptr; }

Format format_of(MTLPixelFormat format) {
  const Format* found = find(format);
  require(found, @"pixel format %lu is not one of the stand-in's", static_cast<unsigned long>(format));
  return *found;
}

Format format_of(MPSDataType type) {
  const int bits = static_cast<int>(type & 0xff);
  require(bits >= 8 && bits % 8 == 0, @"data type 0x%x is not made of whole bytes", static_cast<unsigned>(type));
  const Kind kind = type & MPSDataTypeFloatBit        ? Kind::real
                    : type & MPSDataTypeNormalizedBit ? (type & MPSDataTypeSignedBit ? Kind::snorm : Kind::unorm)
                    : type & MPSDataTypeSignedBit     ? Kind::sint
                                                      : Kind::uint;
  return {kind, 1, bits / 8};
}

double load(const Format& f, const std::byte* p) {
  switch (f.kind) {
    case Kind::real: return f.channel_bytes == 2 ? static_cast<double>(read<_Float16>(p)) : static_cast<double>(read<float>(p));
    case Kind::unorm: return load_integer(false, f.channel_bytes, p) / largest(false, f.channel_bytes);
    case Kind::snorm: return std::max(load_integer(true, f.channel_bytes, p) / largest(true, f.channel_bytes), -1.0);
    case Kind::uint: return load_integer(false, f.channel_bytes, p);
    case Kind::sint: return load_integer(true, f.channel_bytes, p);
  }
  return 0;
}

void store(const Format& f, std::byte* p, double value) {
  const bool is_signed = f.kind == Kind::snorm || f.kind == Kind::sint;
  switch (f.kind) {
    case Kind::real:
      if (f.channel_bytes == 2) {
        write(p, static_cast<_Float16>(value));
      } else {
        write(p, static_cast<float>(value));
      }
      return;
    case Kind::unorm:
    case Kind::snorm: {
      const double unit = std::isnan(value) ? 0 : std::clamp(value, is_signed ? -1.0 : 0.0, 1.0);
      return store_integer(is_signed, f.channel_bytes, p, unit * largest(is_signed, f.channel_bytes));
    }
    case Kind::uint:
    case Kind::sint: return store_integer(is_signed, f.channel_bytes, p, value);
  }
}

double Pixels::get(std::size_t x, std::size_t y, int channel, std::size_t slice) const {
  if (channel >= format.channels) return channel == 3 ? 1 : 0;
  const double value = load(format, pixel(x, y, slice) + component(format, channel) * format.channel_bytes);
  return format.is_srgb && channel < 3 ? from_srgb(value) : value;
}

void Pixels::put(std::size_t x, std::size_t y, int channel, double value, std::size_t slice) const {
  if (channel >= format.channels) return;
  if (is_reduced) value = static_cast<double>(static_cast<_Float16>(value));
  if (format.is_srgb && channel < 3) value = to_srgb(std::clamp(value, 0.0, 1.0));
  store(format, pixel(x, y, slice) + component(format, channel) * format.channel_bytes, value);
}

}  // namespace standin
