"""The claims this repository makes about itself, one package per part."""
