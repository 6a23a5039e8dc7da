#pragma once
#import <CoreFoundation/CoreFoundation.h>

typedef struct CGColorSpace* CGColorSpaceRef;

extern "C" {
extern const CFStringRef _Nonnull kCGColorSpaceSRGB;
extern const CFStringRef _Nonnull kCGColorSpaceLinearSRGB;
extern const CFStringRef _Nonnull kCGColorSpaceDisplayP3;
extern const CFStringRef _Nonnull kCGColorSpaceLinearDisplayP3;
extern const CFStringRef _Nonnull kCGColorSpaceGenericGrayGamma2_2;
extern const CFStringRef _Nonnull kCGColorSpaceLinearGray;
extern const CFStringRef _Nonnull kCGColorSpaceGenericCMYK;  // only for what is refused

CGColorSpaceRef _Nullable CGColorSpaceCreateWithName(CFStringRef _Nullable name);
CGColorSpaceRef _Nullable CGColorSpaceCreateDeviceRGB(void);
CGColorSpaceRef _Nullable CGColorSpaceCreateDeviceGray(void);
void CGColorSpaceRelease(CGColorSpaceRef _Nullable space);
}
