FROM alpine AS base
