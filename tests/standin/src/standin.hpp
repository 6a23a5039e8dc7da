// What the stand-in's sources share.
//
// Writing a kernel on top of it (see gaussian_blur.mm for the pattern):
//   - `require(condition, @"rule, with %lu numbers", ...)` raises where Apple's validation would stop the process.
//   - `Pixels` is a texture, `ImageView` an MPSImage (channels in slices of four), `MatrixView` an MPSMatrix, `VectorView` an
//     MPSVector, all as the GPU sees them. They are values that keep the memory alive: make them while encoding, capture them.
//   - `encode(command_buffer, name, {reads(view), writes(view)}, [=] { ... })` adds work that a queue's thread runs later, in
//     order; it refuses committed command buffers and open encoders. Capture plain values and views, never `self`.
//   - `consume(object)` after encoding a read of an image, matrix, vector or state: lowers the readCount of temporaries.
//   - read and write elements with `get` and `put`: double in, double out, converted and rounded as Metal does.
//   - MPSKernel copies by -standinCopyStateFrom:; a subclass with state overrides it and calls super.
//   - A C++ `catch` in a .mm never matches here: raise NSException, use RAII for the rest.
#pragma once
#import <MetalPerformanceShaders/MetalPerformanceShaders.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "memory.hpp"
#include "pixels.hpp"
#include "settings.hpp"

namespace standin {

inline unsigned long lu(NSUInteger n) { return static_cast<unsigned long>(n); }

// Retains what a closure captures.
template <class T>
class Keep {
 public:
  explicit Keep(T object) : object_([object retain]) {}
  Keep(const Keep& other) : object_([other.object_ retain]) {}
  Keep(Keep&& other) noexcept : object_(std::exchange(other.object_, nil)) {}
  Keep& operator=(Keep other) {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Keep() { [object_ release]; }
  T get() const { return object_; }

 private:
  T object_;
};

// ---- encoding
struct Use {
  std::shared_ptr<Memory> memory;
  bool is_written;
};
template <class View>
Use reads(const View& view) {
  return {view.memory, false};
}
template <class View>
Use writes(const View& view) {
  return {view.memory, true};
}
using Work = std::function<void()>;
void encode(id<MTLCommandBuffer> command_buffer, NSString* name, std::vector<Use> uses, Work work);
// Whether or not an encoder is open: for what Metal does by itself.
void encode_quietly(id<MTLCommandBuffer> command_buffer, std::vector<Use> uses, Work work);
// Work of an open encoder.
void encode_from(id<MTLCommandEncoder> encoder, id<MTLCommandBuffer> command_buffer, std::vector<Use> uses, Work work);

// ---- views
Pixels pixels(id<MTLTexture> texture);  // its first level
Pixels level_of(id<MTLTexture> texture, NSUInteger level);
Pixels pixels(id<MTLTexture> texture, MTLTextureUsage needed);  // refuses a texture that was not made for this use
// An operand of a kernel. Refuses a temporary of another command buffer or past its last read.
ImageView view(MPSImage* image, MTLTextureUsage needed, id<MTLCommandBuffer> command_buffer);
MatrixView view(MPSMatrix* matrix, id<MTLCommandBuffer> command_buffer);
VectorView view(MPSVector* vector, id<MTLCommandBuffer> command_buffer);
std::shared_ptr<Memory> memory_of(id<MTLResource> resource);

// ---- readCount of temporaries
void consume(MPSImage* image);
void consume(MPSMatrix* matrix);
void consume(MPSVector* vector);
void consume(MPSState* state);

// The reads that a temporary still expects. At zero its memory is given back, and any later use is refused.
class ReadCount {
 public:
  ReadCount(id<MTLCommandBuffer> command_buffer, const char* what) : command_buffer_(command_buffer), what_(what) {}
  ~ReadCount();  // stops the process when reads are missing, as Apple's validation does
  NSUInteger get() const { return count_; }
  void set(NSUInteger count);
  void check(id<MTLCommandBuffer> command_buffer) const;  // that this command buffer may use it
  id<MTLCommandBuffer> command_buffer() const { return command_buffer_.get(); }
  std::shared_ptr<Memory> memory;  // once allocated

 private:
  Keep<id<MTLCommandBuffer>> command_buffer_;
  const char* what_;
  NSUInteger count_ = 1;
};

}  // namespace standin

// What dies on another thread than the one that used it last. GNUstep's reference counts are atomic, but ThreadSanitizer cannot
// see that in a library that was not built with it: releases tell it.
@interface StandinShared : NSObject
- (void)acquire;  // first in dealloc
@end

@interface MPSKernel (Standin)
// A copy is allocated without any initializer, given its device, and then takes the state of the original.
- (void)standinCopyStateFrom:(MPSKernel*)other;
@end

@interface MPSState (Standin)
- (instancetype)initStandinForCommandBuffer:(id<MTLCommandBuffer>)commandBuffer;  // nil: not temporary
@end
