#include "compute.hpp"

#include <algorithm>
#include <cstring>

#include "command.hpp"
#include "resource.hpp"

using namespace standin;

@interface StandinComputeEncoder : StandinEncoder <MTLComputeCommandEncoder> {
  StandinPipeline* _pipeline;
  struct Bound {
    std::shared_ptr<Memory> memory;
    NSUInteger offset = 0;
    std::shared_ptr<std::vector<std::byte>> bytes;  // of setBytes:
  };
  Bound _buffers[31];
  struct {
    std::shared_ptr<Pixels> pixels;
    MTLTextureUsage usage;
    bool is_array;
  } _textures[128];
}
@end

@implementation StandinComputeEncoder
- (MTLDispatchType)dispatchType {
  return MTLDispatchTypeSerial;
}
- (void)setComputePipelineState:(id<MTLComputePipelineState>)state {
  require([(id)state isKindOfClass:[StandinPipeline class]], @"a pipeline of another implementation, or none");
  [(id)state retain];
  [_pipeline release];
  _pipeline = (StandinPipeline*)state;
}
- (void)setBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset atIndex:(NSUInteger)index {
  require(index < 31, @"buffer %lu; allowed: 0 to 30", lu(index));
  require(!buffer || offset < buffer.length, @"buffer %lu begins at %lu of %lu bytes", lu(index), lu(offset), lu(buffer.length));
  _buffers[index] = {buffer ? memory_of(buffer) : nullptr, offset, nullptr};
}
- (void)setBufferOffset:(NSUInteger)offset atIndex:(NSUInteger)index {
  require(index < 31 && _buffers[index].memory, @"an offset for buffer %lu, which is not set", lu(index));
  require(offset < _buffers[index].memory->size(), @"buffer %lu begins at %lu, behind its end", lu(index), lu(offset));
  _buffers[index].offset = offset;
}
- (void)setBytes:(const void*)bytes length:(NSUInteger)length atIndex:(NSUInteger)index {
  require(index < 31, @"buffer %lu; allowed: 0 to 30", lu(index));
  require(length && length <= 4096, @"setBytes: of %lu bytes; allowed: 1 to 4096", lu(length));
  const auto* begin = static_cast<const std::byte*>(bytes);
  _buffers[index] = {nullptr, 0, std::make_shared<std::vector<std::byte>>(begin, begin + length)};
}
- (void)setTexture:(id<MTLTexture>)texture atIndex:(NSUInteger)index {
  require(index < 128, @"texture %lu; allowed: 0 to 127", lu(index));
  _textures[index] = {};
  if (texture)
    _textures[index] = {std::make_shared<Pixels>(pixels(texture)), texture.usage, texture.textureType == MTLTextureType2DArray};
}

- (void)dispatch:(MTLSize)threads group:(MTLSize)group groups:(MTLSize)groups {
  require(_pipeline, @"a dispatch without a pipeline");
  const Entry& entry = _pipeline->_entries[0];
  const MTLSize most = self.device.maxThreadsPerThreadgroup;
  require(threads.width && threads.height && threads.depth, @"%s: an empty grid", entry.name.c_str());
  require(group.width && group.height && group.depth && group.width <= most.width && group.height <= most.height && group.depth <= most.depth,
          @"%s: threadgroups of %lu x %lu x %lu", entry.name.c_str(), lu(group.width), lu(group.height), lu(group.depth));
  require(group.width * group.height * group.depth <= _pipeline.maxTotalThreadsPerThreadgroup, @"%s: %lu threads in a group; allowed: %lu",
          entry.name.c_str(), lu(group.width * group.height * group.depth), lu(_pipeline.maxTotalThreadsPerThreadgroup));

  std::vector<Use> uses;
  std::vector<std::shared_ptr<void>> kept;
  std::vector<Argument> arguments(entry.places.size());
  for (std::size_t i = 0; i < entry.places.size(); ++i) {
    const Place place = entry.places[i];
    const Parameter& wanted = entry.shader->parameters[i];
    const char* name = entry.name.c_str();
    if (place.kind == Place::buffer) {
      const Bound& bound = _buffers[place.index];
      require(bound.memory || bound.bytes, @"%s: buffer %lu is not set", name, lu(place.index));
      const std::size_t size = bound.memory ? bound.memory->size() - bound.offset : bound.bytes->size();
      require(size >= wanted.bytes, @"%s: buffer %lu has %lu bytes of %lu", name, lu(place.index), lu(size), lu(wanted.bytes));
      require(bound.memory || wanted.usage == 1, @"%s: writes what setBytes: gave as buffer %lu", name, lu(place.index));
      arguments[i].pointer = bound.memory ? bound.memory->gpu() + bound.offset : bound.bytes->data();
      if (bound.memory) uses.push_back({bound.memory, wanted.usage != 1});
      kept.push_back(bound.bytes);
    } else if (place.kind == Place::texture) {
      const auto& bound = _textures[place.index];
      require(bound.pixels, @"%s: texture %lu is not set", name, lu(place.index));
      require((bound.usage & static_cast<MTLTextureUsage>(wanted.usage)) == static_cast<MTLTextureUsage>(wanted.usage),
              @"%s: texture %lu has usage %lu where %d is needed", name, lu(place.index), lu(bound.usage), wanted.usage);
      require(bound.is_array == wanted.is_array, @"%s: texture %lu is %s array", name, lu(place.index), bound.is_array ? "an" : "no");
      arguments[i].pointer = bound.pixels.get();
      uses.push_back({bound.pixels->memory, wanted.usage != 1});
      kept.push_back(bound.pixels);
    }
  }
  encode_from(self, _commandBuffer, std::move(uses), [entry, arguments, kept, threads, group, groups]() mutable {
    const auto set = [&](Place::Kind kind, NSUInteger x, NSUInteger y, NSUInteger z) {
      for (std::size_t i = 0; i < arguments.size(); ++i)
        if (entry.places[i].kind == kind) {
          arguments[i].position[0] = static_cast<unsigned>(x);
          arguments[i].position[1] = static_cast<unsigned>(y);
          arguments[i].position[2] = static_cast<unsigned>(z);
        }
    };
    set(Place::per_grid, threads.width, threads.height, threads.depth);
    set(Place::per_threadgroup, group.width, group.height, group.depth);
    set(Place::threadgroups, groups.width, groups.height, groups.depth);
    for (NSUInteger z = 0; z < threads.depth; ++z)
      for (NSUInteger y = 0; y < threads.height; ++y)
        for (NSUInteger x = 0; x < threads.width; ++x) {
          set(Place::in_grid, x, y, z);
          set(Place::in_threadgroup, x % group.width, y % group.height, z % group.depth);
          set(Place::threadgroup, x / group.width, y / group.height, z / group.depth);
          entry.shader->call(entry.shader->function, arguments.data());
        }
  });
}
- (void)dispatchThreadgroups:(MTLSize)groups threadsPerThreadgroup:(MTLSize)group {
  [self dispatch:MTLSizeMake(groups.width * group.width, groups.height * group.height, groups.depth * group.depth) group:group groups:groups];
}
- (void)dispatchThreads:(MTLSize)threads threadsPerThreadgroup:(MTLSize)group {
  const auto up = [](NSUInteger n, NSUInteger by) { return by ? (n + by - 1) / by : 0; };
  [self dispatch:threads
           group:group
          groups:MTLSizeMake(up(threads.width, group.width), up(threads.height, group.height), up(threads.depth, group.depth))];
}
- (void)dealloc {
  [_pipeline release];
  [super dealloc];
}
@end

namespace standin {
id<MTLComputeCommandEncoder> make_compute_encoder(StandinCommandBuffer* command_buffer) {
  return [[[StandinComputeEncoder alloc] initWithCommandBuffer:command_buffer label:@"compute"] autorelease];
}
}  // namespace standin
