#include "metal/encoder.hpp"

#include "core/memory_plan.hpp"
#include "core/text.hpp"
#include "metal/shaders/arguments.h"

namespace mpskit::metal {
namespace {

constexpr std::int64_t most_part_bytes = std::int64_t{256} << 20;  // of a batch that goes through textures at once

std::int64_t slices_of(const Layout& l) { return (l.channels() + 3) / 4; }

unsigned int element_format(DType t) {
  switch (t) {
    case DType::u8: return element_unorm8;
    case DType::u16: return element_unorm16;
    case DType::f16: return element_half;
    default: return element_float;
  }
}

TransferArguments arguments_of(const Place& place, const Layout& l) {
  TransferArguments a{};
  a.offset = place.offset;
  a.image_bytes = static_cast<unsigned long>(l.image_bytes());
  a.row_bytes = static_cast<unsigned long>(l.row_bytes());
  a.format = element_format(l.dtype);
  a.channels = static_cast<unsigned int>(l.channels());
  a.width = static_cast<unsigned int>(l.width());
  a.height = static_cast<unsigned int>(l.height());
  a.last_channel = a.channels;
  a.slices = static_cast<unsigned int>(slices_of(l));
  return a;
}

MTLSize grid_of(const TransferArguments& a) { return MTLSizeMake(a.width, a.height, NSUInteger{a.images} * a.slices); }

// [first, first + count) within [0, size); nothing may lie outside.
std::int64_t clipped(std::int64_t first, std::int64_t count, std::int64_t size) { return std::min(count, size - first); }

}  // namespace

Encoder::Encoder(const Context& context, SheetPool& sheets, id<MTLCommandBuffer> commands, const Submission& s)
    : context_(context), submission_(s), sheets_(sheets), commands_(commands), temporaries_(s.temporaries.size()) {
  if (s.temporaries.empty()) return;
  std::vector<Lifetime> lives(temporaries_.size());
  for (std::size_t w = 0; w < s.works.size(); ++w) {
    for (const Operand& operand : s.works[w].operands) {
      if (!operand.temporary) continue;
      const Layout& l = operand.temporary->layout;
      Temporary& t = temporaries_[operand.temporary->index];
      Lifetime& life = lives[operand.temporary->index];
      t.is_picture = l.kind == Kind::image && l.images() * slices_of(l) <= Context::most_layers;
      t.last_work = w;
      if (life.first > life.last) life = {t.is_picture ? 0 : static_cast<std::size_t>(l.span_bytes()), w, w};
      life.last = w;
    }
  }
  const MemoryPlan plan = plan_memory(lives);
  for (std::size_t i = 0; i < temporaries_.size(); ++i) temporaries_[i].offset = plan.offsets[i];
  bytes_ = plan.bytes;
}

Encoder::Encoder(Encoder& outer, const Submission& inner) : Encoder(outer.context_, outer.sheets_, outer.commands_, inner) {
  outer_ = &outer;
  kept_ = outer.kept_;
  if (bytes_ == 0) return;
  block_ = adopt([context_.device() newBufferWithLength:bytes_ options:MTLResourceStorageModePrivate | MTLResourceHazardTrackingModeTracked]);
  if (!block_) throw DeviceError(cat(context_.info().name, " has no ", bytes_, " bytes for the images between kernels. Free arrays, or pass smaller batches."));
}

// ---- operands
bool Encoder::is_outer(const Operand& o) const {
  return outer_ && o.temporary && (o.temporary->index >= submission_.temporaries.size() || submission_.temporaries[o.temporary->index] != o.temporary);
}

Encoder::Temporary* Encoder::picture_of(const Operand& image) {
  if (is_outer(image)) return outer_->picture_of(image);
  if (!image.temporary) return nullptr;
  Temporary& t = temporaries_[image.temporary->index];
  return t.is_picture ? &t : nullptr;
}

Place Encoder::place(const Operand& operand) {
  if (is_outer(operand)) return outer_->place(operand);
  if (operand.temporary) return {block_.get(), temporaries_[operand.temporary->index].offset + static_cast<std::size_t>(operand.offset)};
  const BufferView view = context_.view(*operand.storage);
  return {view.buffer.get(), view.lead + static_cast<std::size_t>(operand.offset)};
}

MPSMatrix* Encoder::matrix(const Operand& operand, std::int64_t first, std::int64_t count) {
  const Layout& l = operand.layout;
  const Place p = place(operand);
  MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:static_cast<NSUInteger>(l.rows())
                                                                 columns:static_cast<NSUInteger>(l.columns())
                                                                matrices:static_cast<NSUInteger>(count)
                                                                rowBytes:static_cast<NSUInteger>(l.row_bytes())
                                                             matrixBytes:static_cast<NSUInteger>(count > 1 ? l.matrix_bytes() : l.rows() * l.row_bytes())
                                                                dataType:data_type(l.dtype)];
  return keep(adopt([[MPSMatrix alloc] initWithBuffer:p.buffer offset:p.offset + static_cast<NSUInteger>(first * l.matrix_bytes()) descriptor:d]));
}

MPSVector* Encoder::vector(const Operand& operand, std::int64_t first, std::int64_t count) {
  const Layout& l = operand.layout;
  const Place p = place(operand);
  MPSVectorDescriptor* d = [MPSVectorDescriptor vectorDescriptorWithLength:static_cast<NSUInteger>(l.length())
                                                                   vectors:static_cast<NSUInteger>(count)
                                                               vectorBytes:static_cast<NSUInteger>(l.vector_bytes())
                                                                  dataType:data_type(l.dtype)];
  return keep(adopt([[MPSVector alloc] initWithBuffer:p.buffer offset:p.offset + static_cast<NSUInteger>(first * l.vector_bytes()) descriptor:d]));
}

// ---- images on buffers
bool Encoder::is_linear(const Place& p, const Layout& l) const {
  if (!context_.has_linear_textures() || l.channels() == 3 || l.channels() > 4) return false;
  const NSUInteger a = context_.linear_alignment(pixel_format(l.dtype, l.channels()));
  const auto fits = [a](std::size_t bytes) { return bytes % a == 0; };
  if (!fits(p.offset) || !fits(static_cast<std::size_t>(l.row_bytes()))) return false;
  if (l.images() > 1 && !fits(static_cast<std::size_t>(l.image_bytes()))) return false;
  // Metal may want the padding of the last row too.
  return p.offset + static_cast<std::size_t>((l.images() - 1) * l.image_bytes() + l.height() * l.row_bytes()) <= [p.buffer length];
}

id<MTLTexture> Encoder::linear(const Place& p, const Layout& l, std::int64_t image) {
  MTLTextureDescriptor* d = [MTLTextureDescriptor texture2DDescriptorWithPixelFormat:pixel_format(l.dtype, l.channels())
                                                                               width:static_cast<NSUInteger>(l.width())
                                                                              height:static_cast<NSUInteger>(l.height())
                                                                           mipmapped:NO];
  d.storageMode = [p.buffer storageMode];
  d.cpuCacheMode = [p.buffer cpuCacheMode];
  d.hazardTrackingMode = [p.buffer hazardTrackingMode];
  d.usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite;
  auto texture = adopt([p.buffer newTextureWithDescriptor:d
                                                   offset:p.offset + static_cast<NSUInteger>(image * l.image_bytes())
                                              bytesPerRow:static_cast<NSUInteger>(l.row_bytes())]);
  if (!texture) throw DeviceError(cat(context_.info().name, " made no texture on the bytes of ", l.describe(), "; it may be out of memory. Pass device=\"cpu\"."));
  return keep(std::move(texture));
}

// ---- images in textures
std::int64_t Encoder::images_at_once(const Layout& l) {
  const std::int64_t slices = slices_of(l), texels = l.height() * l.width() * slices;
  const std::int64_t bytes = texels * l.element_bytes() * std::min<std::int64_t>(l.channels(), 4);
  return std::max<std::int64_t>(1, std::min(Context::most_layers / slices, most_part_bytes / std::max<std::int64_t>(bytes, 1)));
}

std::shared_ptr<Sheet> Encoder::sheet_of(const Operand& image, Images images, const Written* written) {
  const Layout& l = image.layout;
  const auto make = [&] { return sheets_.take(pixel_format(l.dtype, l.channels()), l.width(), l.height(), images.count * slices_of(l)); };
  if (Temporary* t = picture_of(image)) {
    if (!t->sheet) {
      images = {0, l.images()};
      t->sheet = make();
    }
    return t->sheet;
  }
  lent_.push_back(make());
  if (written) pending_.push_back({lent_.back(), image, images, *written});
  else load(*lent_.back(), image, images);
  return lent_.back();
}

Encoder::Slices Encoder::slices(const Operand& image, Images images, const Written* written) {
  const Layout& l = image.layout;
  Slices out;
  if (!picture_of(image)) {
    if (const Place p = place(image); is_linear(p, l)) {
      for (std::int64_t i = 0; i < images.count; ++i) out.push_back(linear(p, l, images.first + i));
      return out;
    }
  }
  Sheet& sheet = *sheet_of(image, images, written);
  const std::int64_t begin = picture_of(image) ? images.first * slices_of(l) : 0;
  for (std::int64_t i = 0; i < images.count * slices_of(l); ++i) out.push_back(sheet.slice(begin + i));
  return out;
}

MPSImage* Encoder::wrap(id<MTLTexture> texture, const Layout& l) {
  return keep(adopt([[MPSImage alloc] initWithTexture:texture featureChannels:static_cast<NSUInteger>(l.channels())]));
}
MPSImageBatch* Encoder::batch(const Operand& image, Images some, const Written* written) {
  const Layout& l = image.layout;
  auto out = adopt([[NSMutableArray alloc] init]);
  if (!picture_of(image)) {
    if (const Place p = place(image); is_linear(p, l)) {
      for (std::int64_t i = 0; i < some.count; ++i) [out.get() addObject:wrap(linear(p, l, some.first + i), l)];
      return keep(std::move(out));
    }
  }
  const Sheet& sheet = *sheet_of(image, some, written);
  MPSImage* all = wrap(sheet.texture.get(), l);
  const NSUInteger begin = picture_of(image) ? static_cast<NSUInteger>(some.first) : 0;
  if (all.numberOfImages == 1) [out.get() addObject:all];
  else [out.get() addObjectsFromArray:[all batchRepresentationWithSubRange:NSMakeRange(begin, static_cast<NSUInteger>(some.count))]];
  return keep(std::move(out));
}

// ---- copies
void Encoder::load(const Sheet& sheet, const Operand& source, Images images) {
  const Place p = place(source);
  TransferArguments a = arguments_of(p, source.layout);
  a.first_image = static_cast<unsigned int>(images.first);
  a.images = static_cast<unsigned int>(images.count);
  compute(sheet.layers == 1 ? "load_picture" : "load_pictures", p.buffer, {sheet.texture.get()}, a, grid_of(a));
}

void Encoder::store(const Pending& s) {
  const Layout& l = s.target.layout;
  const Written& w = s.written;
  const Place p = place(s.target);
  TransferArguments a = arguments_of(p, l);
  a.x = static_cast<unsigned int>(w.x);
  a.y = static_cast<unsigned int>(w.y);
  a.width = static_cast<unsigned int>(clipped(w.x, w.width, l.width()));
  a.height = static_cast<unsigned int>(clipped(w.y, w.height, l.height()));
  a.first_channel = static_cast<unsigned int>(w.first_channel);
  a.last_channel = a.first_channel + static_cast<unsigned int>(clipped(w.first_channel, w.channels, l.channels()));
  const std::int64_t first = std::max(w.first_image, s.images.first);
  const std::int64_t last = std::min(w.first_image + clipped(w.first_image, w.images, l.images()), s.images.first + s.images.count);
  if (first >= last) return;
  a.first_image = static_cast<unsigned int>(first);
  a.images = static_cast<unsigned int>(last - first);
  a.first_layer = static_cast<unsigned int>((first - s.images.first) * slices_of(l));
  compute(s.sheet->layers == 1 ? "store_picture" : "store_pictures", p.buffer, {s.sheet->texture.get()}, a, grid_of(a));
}

void Encoder::copy(id<MTLTexture> from, id<MTLTexture> to) {
  const CopyArguments a{static_cast<unsigned int>(to.width), static_cast<unsigned int>(to.height), 1};
  compute("copy_picture", nil, {from, to}, a, MTLSizeMake(a.width, a.height, 1));
}

void Encoder::reverse_colors(id<MTLTexture> from, id<MTLTexture> to) {
  const CopyArguments a{static_cast<unsigned int>(to.width), static_cast<unsigned int>(to.height), 1};
  compute("reverse_colors", nil, {from, to}, a, MTLSizeMake(a.width, a.height, 1));
}

void Encoder::copy(MPSImage* from, MPSImage* to) {
  const CopyArguments a{static_cast<unsigned int>(to.width), static_cast<unsigned int>(to.height), static_cast<unsigned int>((to.featureChannels + 3) / 4)};
  const bool is_array = to.textureType == MTLTextureType2DArray;
  compute(is_array ? "copy_pictures" : "copy_picture", nil, {from.texture, to.texture}, a, MTLSizeMake(a.width, a.height, a.layers));
}

void Encoder::copy_channels(const Operand& source, const Operand& target, std::int64_t first) {
  const Layout& l = source.layout;
  const std::int64_t step = images_at_once(l);
  for (std::int64_t image = 0; image < l.images(); image += step) {
    const Images some{image, std::min(step, l.images() - image)};
    const Sheet& sheet = *sheet_of(source, some, nullptr);
    TransferArguments a = arguments_of(place(target), target.layout);
    a.offset += static_cast<unsigned long>(first * target.layout.element_bytes());
    a.last_channel = static_cast<unsigned int>(l.channels());
    a.slices = static_cast<unsigned int>(slices_of(l));
    a.first_image = static_cast<unsigned int>(some.first);
    a.images = static_cast<unsigned int>(some.count);
    a.first_layer = picture_of(source) ? static_cast<unsigned int>(some.first * slices_of(l)) : 0;
    compute(sheet.layers == 1 ? "store_picture" : "store_pictures", place(target).buffer, {sheet.texture.get()}, a, grid_of(a));
    finish();
  }
}

Encoder::Pass::Pass(Encoder& encoder, const char* function) {
  const auto pipeline = encoder.context_.pipeline(function);
  const NSUInteger width = [pipeline.get() threadExecutionWidth];
  const NSUInteger most = std::min<NSUInteger>([pipeline.get() maxTotalThreadsPerThreadgroup], 256);
  group_ = MTLSizeMake(width, std::max<NSUInteger>(most / width, 1), 1);
  encoder_ = hold([encoder.commands_ computeCommandEncoder]);
  if (!encoder_) throw DeviceError(cat(encoder.context_.info().name, " made no encoder for ", function, "."));
  encoder_.get().label = to_ns(function);
  [encoder_.get() setComputePipelineState:pipeline.get()];
}

void Encoder::Pass::add(Buffers buffers, Textures textures, const void* arguments, std::size_t bytes, MTLSize grid) {
  if (grid.width == 0 || grid.height == 0 || grid.depth == 0) return;
  NSUInteger index = 0;
  for (id<MTLBuffer> buffer : buffers) {
    if (buffer) [encoder_.get() setBuffer:buffer offset:0 atIndex:index];
    index += index == 0 ? 2 : 1;
  }
  [encoder_.get() setBytes:arguments length:bytes atIndex:1];
  index = 0;
  for (id<MTLTexture> texture : textures) [encoder_.get() setTexture:texture atIndex:index++];
  [encoder_.get() dispatchThreadgroups:MTLSizeMake((grid.width + group_.width - 1) / group_.width, (grid.height + group_.height - 1) / group_.height, grid.depth)
                 threadsPerThreadgroup:group_];
}

// ---- ends
void Encoder::finish() {
  for (const Pending& p : pending_) store(p);
  pending_.clear();
  for (std::shared_ptr<Sheet>& sheet : lent_) sheets_.give(std::move(sheet));
  lent_.clear();
}

void Encoder::finish_work(std::size_t index) {
  finish();
  for (Temporary& t : temporaries_)
    if (t.sheet && t.last_work == index) sheets_.give(std::move(t.sheet));
}

}  // namespace mpskit::metal
