FROM --platform=$BUILDPLATFORM alpine AS build
