// Elements of textures, images, matrices and vectors in the GPU's memory: double in, double out.
#pragma once
#import <MetalPerformanceShaders/MetalPerformanceShaders.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "memory.hpp"

namespace standin {

enum class Kind : std::uint8_t { unorm, snorm, uint, sint, real };

struct Format {
  Kind kind;
  int channels;
  int channel_bytes;
  bool is_bgra = false;
  bool is_srgb = false;
  std::size_t bytes() const { return static_cast<std::size_t>(channels * channel_bytes); }
  bool has_alpha() const { return channels == 4; }
};
Format format_of(MTLPixelFormat format);      // refuses the unknown
bool is_known(MTLPixelFormat format);
Format format_of(MPSDataType type);           // of one element; refuses what is not whole bytes
double load(const Format& format, const std::byte* channel);
void store(const Format& format, std::byte* channel, double value);  // clamped and rounded as a texture write does

struct Pixels {  // one level of a texture
  std::shared_ptr<Memory> memory;
  Format format;
  std::size_t width, height, slices;
  std::size_t offset, row_bytes, slice_bytes;
  bool is_reduced = false;  // a kernel that may writes half precision

  std::byte* pixel(std::size_t x, std::size_t y, std::size_t slice = 0) const {
    return memory->gpu() + offset + slice * slice_bytes + y * row_bytes + x * format.bytes();
  }
  double get(std::size_t x, std::size_t y, int channel, std::size_t slice = 0) const;  // missing ones: 0, alpha 1
  void put(std::size_t x, std::size_t y, int channel, double value, std::size_t slice = 0) const;  // missing ones: dropped
};

struct ImageView : Pixels {  // channel c of image n lies in component c % 4 of slice n * ceil(channels / 4) + c / 4
  std::size_t channels, images;
  std::size_t slice_of(std::size_t channel, std::size_t image) const { return image * ((channels + 3) / 4) + channel / 4; }
  double at(std::size_t x, std::size_t y, std::size_t channel, std::size_t image = 0) const {
    return get(x, y, static_cast<int>(channel % 4), slice_of(channel, image));
  }
  void set(std::size_t x, std::size_t y, std::size_t channel, double value, std::size_t image = 0) const {
    put(x, y, static_cast<int>(channel % 4), value, slice_of(channel, image));
  }
};

struct MatrixView {
  std::shared_ptr<Memory> memory;
  Format format;
  MPSDataType type;
  std::size_t rows, columns, matrices;
  std::size_t offset, row_bytes, matrix_bytes;
  std::byte* element(std::size_t row, std::size_t column, std::size_t matrix) const {
    return memory->gpu() + offset + matrix * matrix_bytes + row * row_bytes + column * format.bytes();
  }
  double get(std::size_t row, std::size_t column, std::size_t matrix = 0) const { return load(format, element(row, column, matrix)); }
  void put(std::size_t row, std::size_t column, double value, std::size_t matrix = 0) const {
    store(format, element(row, column, matrix), value);
  }
};

struct VectorView {
  std::shared_ptr<Memory> memory;
  Format format;
  MPSDataType type;
  std::size_t length, vectors;
  std::size_t offset, vector_bytes;
  std::byte* element(std::size_t index, std::size_t vector) const {
    return memory->gpu() + offset + vector * vector_bytes + index * format.bytes();
  }
  double get(std::size_t index, std::size_t vector = 0) const { return load(format, element(index, vector)); }
  void put(std::size_t index, double value, std::size_t vector = 0) const { store(format, element(index, vector), value); }
};

}  // namespace standin
