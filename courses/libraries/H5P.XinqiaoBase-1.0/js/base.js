/* Shared by the Xinqiao content types. Plain script, no eval, no inline handlers: it runs under script-src 'self'. */
var H5P = window.H5P || {};

H5P.XinqiaoBase = (function () {
  'use strict';

  var SVG = 'http://www.w3.org/2000/svg';

  /** Builds an element. `attrs.text` is its text, `attrs.on` its listeners; children that are null are left out. */
  function el(tag, attrs, children) {
    var node = document.createElement(tag);
    Object.keys(attrs || {}).forEach(function (name) {
      var value = attrs[name];
      if (value === undefined || value === null || value === false) return;
      if (name === 'text') node.textContent = value;
      else if (name === 'on')
        Object.keys(value).forEach(function (type) {
          node.addEventListener(type, value[type]);
        });
      else node.setAttribute(name, value === true ? '' : value);
    });
    (children || []).forEach(function (child) {
      if (child) node.appendChild(typeof child === 'string' ? document.createTextNode(child) : child);
    });
    return node;
  }

  var paths = {
    check: 'M4 12.5l5 5L20 6.5',
    cross: 'M6 6l12 12M18 6L6 18',
    tip: 'M9 18h6M10 21h4M12 3a6 6 0 0 0-3.5 10.9c.6.5 1 1.2 1 2.1h5c0-.9.4-1.6 1-2.1A6 6 0 0 0 12 3z',
    caution: 'M12 4L2.8 20h18.4L12 4zM12 10v4.5M12 17.4v.1',
    'help-now':
      'M5 4h4l1.6 4.4L8.2 10a12 12 0 0 0 5.8 5.8l1.6-2.4L20 15v4c0 .6-.4 1-1 1A15 15 0 0 1 4 5c0-.6.4-1 1-1z',
    plus: 'M12 5v14M5 12h14',
  };

  /** A decorative line icon; what it means always stands beside it in words. */
  function icon(name) {
    var svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    svg.setAttribute('focusable', 'false');
    svg.setAttribute('class', 'xq-icon xq-icon-' + name);
    var path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', paths[name]);
    svg.appendChild(path);
    return svg;
  }

  var allowed = [
    'P',
    'BR',
    'STRONG',
    'B',
    'EM',
    'I',
    'U',
    'UL',
    'OL',
    'LI',
    'BLOCKQUOTE',
    'A',
    'SUB',
    'SUP',
    'SPAN',
    'DIV',
  ];
  var dropped = ['SCRIPT', 'STYLE', 'IFRAME', 'OBJECT', 'EMBED', 'TEMPLATE', 'NOSCRIPT', 'SVG', 'MATH'];

  function copySafely(from, to) {
    Array.prototype.forEach.call(from.childNodes, function (child) {
      if (child.nodeType === 3) return void to.appendChild(document.createTextNode(child.nodeValue));
      if (child.nodeType !== 1 || dropped.indexOf(child.nodeName.toUpperCase()) >= 0) return;
      if (allowed.indexOf(child.nodeName) < 0) return void copySafely(child, to);
      var copy = document.createElement(child.nodeName);
      var href = child.nodeName === 'A' ? child.getAttribute('href') || '' : '';
      if (/^(https:\/\/|tel:)/i.test(href)) {
        copy.setAttribute('href', href);
        copy.setAttribute('target', '_blank');
        copy.setAttribute('rel', 'noopener noreferrer');
      }
      copySafely(child, copy);
      to.appendChild(copy);
    });
  }

  /** Rich text as an author wrote it, reduced to plain formatting: an uploaded content brings no script, style or image by this way. */
  function rich(html, className) {
    var holder = el('div', { class: 'xq-rich' + (className ? ' ' + className : '') });
    copySafely(new DOMParser().parseFromString(String(html || ''), 'text/html').body, holder);
    return holder;
  }

  /** Rich text without its tags, for statements and labels. */
  function plain(html) {
    return rich(html).textContent.trim();
  }

  /** The words of the interface: built in for Chinese and English, and any of them replaced by the content's own. */
  function words(params, builtIn) {
    var own = params.l10n || {};
    var table = builtIn[/^zh/i.test(languageOf(params)) ? 'zh-CN' : 'en'];
    return function (key, values) {
      return Object.keys(values || {}).reduce(function (text, name) {
        return text.replace(':' + name, values[name]);
      }, own[key] || table[key]);
    };
  }

  function languageOf(params) {
    return params.contentLanguage || 'zh-CN';
  }

  /** Where to get help now: the content's own list, so that a county can put its numbers. */
  function helpNumbers(help) {
    var lines = (help && help.lines) || [];
    return el(
      'ul',
      { class: 'xq-help-lines' },
      lines.map(function (line) {
        return el('li', {}, [
          el('a', { href: 'tel:' + line.number, class: 'xq-help-number', text: line.number }),
          el('span', { text: line.label }),
        ]);
      }),
    );
  }

  function helpPanel(help) {
    if (!help || !help.lines || !help.lines.length) return null;
    return el(
      'aside',
      { class: 'xq-callout xq-callout-help-now', 'aria-label': help.title, 'data-xq': 'help' },
      [
        el('p', { class: 'xq-callout-title' }, [icon('help-now'), help.title]),
        el('div', { class: 'xq-callout-body' }, [help.text ? rich(help.text) : null, helpNumbers(help)]),
      ],
    );
  }

  function button(kind, action, label, onClick) {
    return el('button', {
      type: 'button',
      class: 'xq-button xq-button-' + kind,
      'data-action': action,
      text: label,
      on: { click: onClick },
    });
  }

  function progressBar(label) {
    return el('progress', { class: 'xq-progress', max: 1, value: 0, 'aria-label': label });
  }

  /** Seconds since a moment as an ISO 8601 duration. */
  function durationSince(start) {
    return 'PT' + Math.round((Date.now() - start) / 10) / 100 + 'S';
  }

  function scoreOf(raw, max) {
    return { min: 0, max: max, raw: raw, scaled: max > 0 ? Math.round((raw / max) * 1e4) / 1e4 : 0 };
  }

  /**
   * A statement about one part (a question, a card) of a content. The content is its parent, so that H5P core does not take
   * the part's result for the whole's.
   */
  function partStatement(instance, verb, part, result) {
    var event = instance.createXAPIEventTemplate(verb);
    var statement = event.data.statement;
    var whole = statement.object;
    var context = statement.context || {};
    context.contextActivities = context.contextActivities || {};
    context.contextActivities.parent = [{ id: whole.id, objectType: 'Activity' }];
    statement.context = context;
    statement.object = {
      id: whole.id + (String(whole.id).indexOf('?') < 0 ? '?' : '&') + 'subContentId=' + part.id,
      objectType: 'Activity',
      definition: part.definition,
    };
    part.definition.type = 'http://adlnet.gov/expapi/activities/cmi.interaction';
    part.definition.extensions = {
      'http://h5p.org/x-api/h5p-local-content-id': instance.contentId,
      'http://h5p.org/x-api/h5p-subContentId': part.id,
    };
    if (result) statement.result = result;
    return event;
  }

  /** Text keyed by language, as xAPI wants it. */
  function languageMap(params, text) {
    var map = {};
    map[languageOf(params)] = text;
    return map;
  }

  /** Saves shortly after a change, beside the saves of H5P core (every `saveFreq` seconds and on leaving). */
  function saveSoon(instance) {
    if (!window.H5PIntegration || !window.H5PIntegration.saveFreq || !instance.isRoot()) return;
    clearTimeout(instance.saveTimer);
    instance.saveTimer = setTimeout(function () {
      H5P.setUserData(instance.contentId, 'state', instance.getCurrentState(), { deleteOnChange: true });
    }, 800);
  }

  /** A content type: a dispatcher with the contract's constructor, ready for `prototype` functions. Its statements carry the content's title. */
  function contentType(Constructor) {
    Constructor.prototype = Object.create(H5P.EventDispatcher.prototype);
    Constructor.prototype.constructor = Constructor;
    Constructor.prototype.createXAPIEventTemplate = function (verb, extra) {
      var event = H5P.EventDispatcher.prototype.createXAPIEventTemplate.call(this, verb, extra);
      var object = event.data.statement.object;
      object.definition = object.definition || {};
      object.definition.name = object.definition.name || languageMap(this.params, this.params.title || '');
      return event;
    };
    Constructor.prototype.getTitle = function () {
      return H5P.createTitle(this.params.title);
    };
  }

  /**
   * What every instance begins with. The version is written here because h5p-standalone 3.8.2 loses a minor version of 0
   * and would call the library "1.undefined" in every statement.
   */
  function begin(instance, machineName, params, contentId) {
    H5P.EventDispatcher.call(instance);
    instance.params = params;
    instance.contentId = contentId;
    instance.libraryInfo = {
      versionedName: machineName + ' 1.0',
      versionedNameNoSpaces: machineName + '-1.0',
      machineName: machineName,
      majorVersion: 1,
      minorVersion: 0,
    };
  }

  /** Shows a freshly drawn part to the reader: the view moves to its heading, and so does the focus. */
  function moveTo(heading) {
    heading.scrollIntoView({ block: 'center' });
    heading.focus({ preventScroll: true });
  }

  return {
    begin: begin,
    button: button,
    contentType: contentType,
    durationSince: durationSince,
    el: el,
    helpNumbers: helpNumbers,
    helpPanel: helpPanel,
    icon: icon,
    languageMap: languageMap,
    languageOf: languageOf,
    moveTo: moveTo,
    partStatement: partStatement,
    plain: plain,
    progressBar: progressBar,
    rich: rich,
    saveSoon: saveSoon,
    scoreOf: scoreOf,
    words: words,
  };
})();
