#pragma once
#include <algorithm>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "core/engine.hpp"
#include "metal/context.hpp"
#include "metal/sheet.hpp"

namespace mpskit::metal {

// What a kernel writes of an image; the rest keeps its old values.
struct Written {
  static constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();
  std::int64_t x = 0, y = 0, width = all, height = all;
  std::int64_t first_channel = 0, channels = all;
  std::int64_t first_image = 0, images = all;
};
struct Images {  // of a batch
  std::int64_t first, count;
};
struct Place {  // of an operand's first element
  id<MTLBuffer> buffer;
  std::size_t offset;
};

// One command buffer while it is encoded: gives kernels their operands as MPS takes them.
//
// An image is a texture on the operand's own bytes where Metal allows that: an Apple GPU, one image, 1, 2 or 4 channels, rows and
// offset aligned. Otherwise it is a texture of the stream's, filled before and copied back after the kernel by shaders of ours;
// only what is `Written` is copied back. Temporary images are such textures and are never copied. They come from a pool of the
// stream instead of MPSTemporaryImage: MPS lowers the readCount for its own encoders only and not clearly for every kernel, array
// slices of a temporary cannot be viewed, and a texture that stays costs nothing. The device's hazard tracking orders its uses.
class Encoder {
 public:
  Encoder(const Context& context, SheetPool& sheets, id<MTLCommandBuffer> commands, const Submission& submission);
  // Of the works within one work, with temporaries of their own; their operands may be temporaries of the outer one.
  Encoder(Encoder& outer, const Submission& inner);
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  id<MTLCommandBuffer> commands() const { return commands_; }
  const Context& context() const { return context_; }

  // Images of an operand as MPSImages of one image each, for network kernels; those to write, with what will be written.
  MPSImageBatch* batch(const Operand& image, Images some, const Written* written = nullptr);
  static std::int64_t images_at_once(const Layout& l);  // most that lie in textures at a time
  // encode(sources, targets) for `count` images of both, from these on.
  template <class F>
  void each_batch(const Operand& source, std::int64_t source_image, const Operand& target, std::int64_t target_image, std::int64_t count,
                  const Written& written, F&& encode) {
    const std::int64_t step = std::min(images_at_once(source.layout), images_at_once(target.layout));
    for (std::int64_t done = 0; done < count; done += step) {
      const std::int64_t some = std::min(step, count - done);
      encode(batch(source, {source_image + done, some}), batch(target, {target_image + done, some}, &written));
      finish();
    }
  }
  // For image kernels, which take single 2-D textures: encode(source, target) for every image and every four channels. A source of
  // more slices than the target lends its first ones.
  template <class F>
  void each_slice(const Operand& source, const Operand& target, const Written& written, F&& encode) {
    const std::int64_t images = source.layout.images();
    const std::int64_t step = std::min(images_at_once(source.layout), images_at_once(target.layout));
    for (std::int64_t first = 0; first < images; first += step) {
      const Images some{first, std::min(step, images - first)};
      const Slices from = slices(source, some, nullptr), to = slices(target, some, &written);
      const std::size_t from_each = from.size() / static_cast<std::size_t>(some.count);
      const std::size_t to_each = to.size() / static_cast<std::size_t>(some.count);
      for (std::size_t i = 0; i < to.size(); ++i) encode(from[i / to_each * from_each + i % to_each], to[i]);
      finish();
    }
  }
  // For kernels that write no image: encode(source, image, first channel) for every image and every four channels.
  template <class F>
  void each_source(const Operand& source, F&& encode) {
    const std::int64_t images = source.layout.images(), step = images_at_once(source.layout);
    for (std::int64_t first = 0; first < images; first += step) {
      const Images some{first, std::min(step, images - first)};
      const Slices from = slices(source, some, nullptr);
      const std::int64_t each = static_cast<std::int64_t>(from.size()) / some.count;
      for (std::int64_t i = 0; i < some.count * each; ++i) encode(from[static_cast<std::size_t>(i)], first + i / each, i % each * 4);
      finish();
    }
  }
  // The same of two sources: encode(primary, secondary, target). A source of one image lends it to every image of the target.
  template <class F>
  void each_slice(const Operand& primary, const Operand& secondary, const Operand& target, const Written& written, F&& encode) {
    const std::int64_t images = target.layout.images();
    const std::int64_t step = std::min({images_at_once(primary.layout), images_at_once(secondary.layout), images_at_once(target.layout)});
    for (std::int64_t first = 0; first < images; first += step) {
      const Images some{first, std::min(step, images - first)};
      const auto of = [&](const Operand& source) { return slices(source, source.layout.images() == 1 ? Images{0, 1} : some, nullptr); };
      const Slices a = of(primary), b = of(secondary), to = slices(target, some, &written);
      for (std::size_t i = 0; i < to.size(); ++i) encode(a[i % a.size()], b[i % b.size()], to[i]);
      finish();
    }
  }
  // The same of any number of each, all of one number of images: encode(sources, targets). One of fewer slices than the first lends
  // its last again.
  template <class F>
  void each_slice(std::span<const Operand> sources, std::span<const Operand> targets, F&& encode) {
    const std::int64_t images = sources[0].layout.images();
    std::int64_t step = images;
    for (const auto& list : {sources, targets})
      for (const Operand& o : list) step = std::min(step, images_at_once(o.layout));
    for (std::int64_t first = 0; first < images; first += step) {
      const Images some{first, std::min(step, images - first)};
      const Written whole;
      std::vector<Slices> from, to;
      for (const Operand& o : sources) from.push_back(slices(o, some, nullptr));
      for (const Operand& o : targets) to.push_back(slices(o, some, &whole));
      const std::size_t count = static_cast<std::size_t>(some.count), each = from[0].size() / count;
      const auto column = [&](const std::vector<Slices>& all, std::size_t i) {
        Slices one;
        for (const Slices& t : all) one.push_back(t[i / each * (t.size() / count) + std::min(i % each, t.size() / count - 1)]);
        return one;
      };
      for (std::size_t i = 0; i < from[0].size(); ++i) encode(column(from, i), column(to, i));
      finish();
    }
  }
  // All matrices or vectors of an operand, or some of them.
  MPSMatrix* matrix(const Operand& matrix) { return this->matrix(matrix, 0, matrix.layout.matrices()); }
  MPSMatrix* matrix(const Operand& matrix, std::int64_t first, std::int64_t count);
  MPSVector* vector(const Operand& vector) { return this->vector(vector, 0, vector.layout.vectors()); }
  MPSVector* vector(const Operand& vector, std::int64_t first, std::int64_t count);
  Place place(const Operand& operand);  // not of a temporary image

  // A texture with undefined contents, for what is encoded while it lives.
  class Scratch {
   public:
    Scratch(SheetPool& sheets, std::shared_ptr<Sheet> sheet) : sheets_(sheets), sheet_(std::move(sheet)) {}
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { sheets_.give(std::move(sheet_)); }
    id<MTLTexture> texture() const { return sheet_->texture.get(); }
    id<MTLTexture> level(std::size_t level) const { return sheet_->level(static_cast<std::int64_t>(level)); }

   private:
    SheetPool& sheets_;
    std::shared_ptr<Sheet> sheet_;
  };
  Scratch scratch(MTLPixelFormat format, std::int64_t width, std::int64_t height, std::size_t levels = 1) {
    return Scratch(sheets_, sheets_.take(format, width, height, 1, static_cast<std::int64_t>(levels)));
  }
  // A shader over grids: buffer 0 unless nil, arguments in buffer 1, further buffers from 2 on, textures from 0 on. The device takes
  // one grid after the other.
  using Buffers = std::initializer_list<id<MTLBuffer>>;
  using Textures = std::initializer_list<id<MTLTexture>>;
  template <class Arguments>
  void compute(const char* function, id<MTLBuffer> buffer, Textures textures, const Arguments& arguments, MTLSize grid) {
    Pass(*this, function).add({buffer}, textures, arguments, grid);
  }
  class Pass {
   public:
    Pass(Encoder& encoder, const char* function);
    ~Pass() { [encoder_.get() endEncoding]; }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    template <class Arguments>
    void add(Buffers buffers, Textures textures, const Arguments& arguments, MTLSize grid) {
      static_assert(sizeof(Arguments) <= 4096);
      add(buffers, textures, &arguments, sizeof(Arguments), grid);
    }

   private:
    void add(Buffers buffers, Textures textures, const void* arguments, std::size_t bytes, MTLSize grid);
    MTLSize group_;
    retained<id<MTLComputeCommandEncoder>> encoder_;
  };
  // Lives until the device is done.
  template <class T>
  T keep(retained<T> object) {
    T p = object.get();
    kept_->emplace_back(hold(static_cast<id>(p)));
    return p;
  }
  void copy(id<MTLTexture> from, id<MTLTexture> to);  // all texels of 2-D textures, by value
  void reverse_colors(id<MTLTexture> from, id<MTLTexture> to);  // the same, red for blue and blue for red
  // Texels of one image to another of no more slices.
  void copy(MPSImage* from, MPSImage* to);
  // All channels of an image into those of a wider one, from any on. The target is no temporary in textures.
  void copy_channels(const Operand& source, const Operand& target, std::int64_t first);

  // ---- for the stream
  void finish();                        // copies back what was written since the last call
  void finish_work(std::size_t index);  // and lets go of temporaries that no later work uses
  std::shared_ptr<void> kept() const { return kept_; }
  std::size_t temporary_bytes() const { return bytes_; }
  void set_temporary_memory(retained<id<MTLBuffer>> block) { block_ = std::move(block); }

 private:
  using Slices = std::vector<id<MTLTexture>>;  // image by image
  struct Temporary {
    bool is_picture = false;     // else bytes in block_
    std::size_t offset = 0, last_work = 0;
    std::shared_ptr<Sheet> sheet;  // from first use to last
  };
  struct Pending {
    std::shared_ptr<Sheet> sheet;
    Operand target;
    Images images;
    Written written;
  };

  Slices slices(const Operand& image, Images images, const Written* written);
  std::shared_ptr<Sheet> sheet_of(const Operand& image, Images images, const Written* written);
  MPSImage* wrap(id<MTLTexture> texture, const Layout& l);
  Temporary* picture_of(const Operand& image);
  bool is_linear(const Place& p, const Layout& l) const;
  id<MTLTexture> linear(const Place& p, const Layout& l, std::int64_t image);
  void load(const Sheet& sheet, const Operand& source, Images images);
  void store(const Pending& p);

  bool is_outer(const Operand& operand) const;

  const Context& context_;
  Encoder* outer_ = nullptr;
  const Submission& submission_;
  SheetPool& sheets_;
  id<MTLCommandBuffer> commands_;
  std::vector<Temporary> temporaries_;
  std::size_t bytes_ = 0;
  retained<id<MTLBuffer>> block_;
  std::vector<Pending> pending_;
  std::vector<std::shared_ptr<Sheet>> lent_;  // of this work, back to the pool when it is encoded
  std::shared_ptr<std::vector<retained<id>>> kept_ = share(std::make_unique<std::vector<retained<id>>>());
};

}  // namespace mpskit::metal
