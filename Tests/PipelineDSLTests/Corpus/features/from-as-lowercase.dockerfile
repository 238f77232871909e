from alpine as base
