/* Practice questions, one after another, with feedback on every option. Practice only: the exam is drawn and graded by the server. */
var H5P = window.H5P || {};

H5P.XinqiaoQuestionSet = (function (base) {
  'use strict';

  var el = base.el;
  var letters = 'abcdefghijklmnopqrstuvwxyz';

  var builtIn = {
    'zh-CN': {
      count: '第 :at 题，共 :all 题',
      progress: '练习进度',
      single: '单选题',
      multiple: '多选题：选出所有合适的',
      trueFalse: '判断题',
      check: '看看对不对',
      choose: '请先选一个答案。',
      next: '下一题',
      toSummary: '看结果',
      retry: '再想一想',
      right: '答对了',
      wrong: '还差一点',
      summary: '练习结果',
      score: '答对 :raw / :max 题',
      again: '重做没答对的题',
      allRight: '全部答对。真到了那一刻，愿您也这样从容。',
      someWrong: '没答对的题可以重做；练习不计入考试成绩。',
      passed: '答对',
      failed: '没答对',
    },
    en: {
      count: 'Question :at of :all',
      progress: 'Progress',
      single: 'Choose one',
      multiple: 'Choose all that fit',
      trueFalse: 'True or false',
      check: 'Check',
      choose: 'Choose an answer first.',
      next: 'Next question',
      toSummary: 'See the result',
      retry: 'Try again',
      right: 'That’s right',
      wrong: 'Not quite',
      summary: 'Your practice',
      score: ':raw of :max right',
      again: 'Redo the ones you missed',
      allRight: 'All of them right. May you be as steady when the moment comes.',
      someWrong: 'Redo the ones you missed. Practice does not count towards the exam.',
      passed: 'Right',
      failed: 'Missed',
    },
  };

  function QuestionSet(params, contentId, extras) {
    base.begin(this, 'H5P.XinqiaoQuestionSet', params, contentId);
    this.questions = params.questions || [];
    this.say = base.words(params, builtIn);
    this.restore((extras && extras.previousState) || {});
  }

  base.contentType(QuestionSet);

  /** `round` is the questions to go through now, by index: all of them at first, then the missed ones. */
  QuestionSet.prototype.restore = function (saved) {
    var all = this.questions.map(function (_, at) {
      return at;
    });
    this.answers = all.map(function (at) {
      var answer = (saved.answers || [])[at] || {};
      return { chosen: (answer.chosen || []).slice(), checked: !!answer.checked };
    });
    this.round =
      saved.round &&
      saved.round.every(function (at) {
        return at < all.length;
      })
        ? saved.round.slice()
        : all;
    this.at = Math.min(saved.at | 0, this.round.length);
    this.completed = !!saved.completed;
    this.solutions = false;
  };

  QuestionSet.prototype.attach = function ($container) {
    $container.addClass('h5p-xinqiao-question-set');
    this.counter = el('p', { class: 'xq-count', role: 'status', 'data-xq': 'count' });
    this.bar = base.progressBar(this.say('progress'));
    this.body = el('div', { class: 'xq-body' });
    $container[0].appendChild(
      el('div', { class: 'xq xq-set', lang: base.languageOf(this.params), 'data-xinqiao': 'question-set' }, [
        el('div', { class: 'xq-top' }, [
          el('p', { class: 'xq-top-title', text: this.params.title }),
          this.counter,
        ]),
        this.bar,
        this.body,
        el('div', { class: 'xq-foot' }, [base.helpPanel(this.params.help)]),
      ]),
    );
    this.setActivityStarted();
    this.show();
  };

  QuestionSet.prototype.goTo = function (at) {
    this.at = at;
    this.show();
    base.moveTo(this.heading);
    base.saveSoon(this);
  };

  QuestionSet.prototype.show = function () {
    this.body.textContent = '';
    this.bar.value = this.round.length ? this.at / this.round.length : 1;
    if (this.at >= this.round.length) this.showSummary();
    else this.showQuestion(this.round[this.at]);
    this.trigger('resize');
  };

  QuestionSet.prototype.showQuestion = function (index) {
    var self = this;
    var question = this.questions[index];
    var answer = this.answers[index];
    var type = question.type === 'multiple' ? 'checkbox' : 'radio';
    this.started = Date.now();
    this.touched = false;
    this.counter.textContent = this.say('count', { at: this.at + 1, all: this.round.length });
    this.heading = el('h2', { class: 'xq-kind', tabindex: '-1', text: this.say(question.type || 'single') });
    this.fields = el(
      'fieldset',
      { class: 'xq-options', 'data-question': index },
      [el('legend', {}, [base.rich(question.stem)])].concat(
        question.options.map(function (option, at) {
          return self.option(option, at, type, index);
        }),
      ),
    );
    this.feedback = el('div', { role: 'status', 'data-xq': 'feedback' });
    this.actions = el('div', { class: 'xq-actions' });
    [this.heading, this.fields, this.feedback, this.actions].forEach(function (node) {
      self.body.appendChild(node);
    });
    this.drawAnswer(index);
    if (!answer.checked && !this.solutions) {
      this.actions.appendChild(
        base.button('primary', 'check', this.say('check'), function () {
          self.check(index);
        }),
      );
    }
  };

  QuestionSet.prototype.option = function (option, at, type, index) {
    var self = this;
    var input = el('input', {
      type: type,
      name: 'xq-' + this.contentId + '-' + index,
      value: letters[at],
      on: {
        change: function () {
          self.choose(index);
        },
      },
    });
    input.checked = this.answers[index].chosen.indexOf(at) >= 0;
    return el('div', { class: 'xq-option', 'data-option': letters[at] }, [
      el('label', {}, [input, el('span', { text: option.text })]),
      el('div', { class: 'xq-why' }),
    ]);
  };

  QuestionSet.prototype.choose = function (index) {
    this.answers[index].chosen = this.inputs().reduce(function (chosen, input, at) {
      return input.checked ? chosen.concat(at) : chosen;
    }, []);
    this.feedback.textContent = '';
    if (!this.touched) {
      this.touched = true;
      this.trigger(base.partStatement(this, 'interacted', this.part(index)));
    }
    base.saveSoon(this);
  };

  QuestionSet.prototype.inputs = function () {
    return Array.prototype.slice.call(this.fields.querySelectorAll('input'));
  };

  QuestionSet.prototype.check = function (index) {
    var answer = this.answers[index];
    if (!answer.chosen.length) {
      this.feedback.textContent = '';
      this.feedback.appendChild(el('p', { class: 'xq-feedback xq-warn', text: this.say('choose') }));
      this.trigger('resize');
      return;
    }
    answer.checked = true;
    this.trigger(base.partStatement(this, 'answered', this.part(index), this.result(index, this.started)));
    this.actions.textContent = '';
    this.drawAnswer(index);
    var title = this.feedback.querySelector('[tabindex]');
    title.focus({ preventScroll: true });
    this.feedback.scrollIntoView({ block: 'nearest' });
    base.saveSoon(this);
    this.trigger('resize');
  };

  /** Once checked: what each option is worth and why, and the way on. */
  QuestionSet.prototype.drawAnswer = function (index) {
    var self = this;
    var question = this.questions[index];
    var answer = this.answers[index];
    if (!answer.checked && !this.solutions) return;
    var right = this.isRight(index);
    this.inputs().forEach(function (input) {
      input.disabled = true;
    });
    question.options.forEach(function (option, at) {
      var chosen = answer.chosen.indexOf(at) >= 0;
      var reveal = chosen || right || self.solutions || question.type === 'trueFalse';
      if (!reveal) return;
      var row = self.fields.querySelector('[data-option="' + letters[at] + '"]');
      row.classList.add(option.correct ? 'xq-option-good' : chosen ? 'xq-option-bad' : 'xq-option-plain');
      var why = row.querySelector('.xq-why');
      why.appendChild(
        el('p', {}, [
          base.icon(option.correct ? 'check' : 'cross'),
          el('span', { text: option.feedback || '' }),
        ]),
      );
    });
    this.feedback.appendChild(
      el('div', { class: 'xq-feedback ' + (right ? 'xq-good' : 'xq-bad') }, [
        el('p', { class: 'xq-feedback-title', tabindex: '-1' }, [
          base.icon(right ? 'check' : 'cross'),
          this.say(right ? 'right' : 'wrong'),
        ]),
        right && question.explanation ? base.rich(question.explanation) : null,
      ]),
    );
    var last = this.at === this.round.length - 1;
    if (!right && !this.solutions)
      this.actions.appendChild(
        base.button('primary', 'retry', this.say('retry'), function () {
          self.retry(index);
        }),
      );
    this.actions.appendChild(
      base.button(
        right || this.solutions ? 'primary' : 'secondary',
        'next',
        this.say(last ? 'toSummary' : 'next'),
        function () {
          self.goTo(self.at + 1);
        },
      ),
    );
  };

  QuestionSet.prototype.retry = function (index) {
    this.answers[index] = { chosen: [], checked: false };
    this.goTo(this.at);
  };

  QuestionSet.prototype.showSummary = function () {
    var self = this;
    var raw = this.getScore();
    var max = this.getMaxScore();
    var missed = this.missed();
    this.counter.textContent = '';
    this.heading = el('h2', { tabindex: '-1', text: this.say('summary') });
    this.body.appendChild(this.heading);
    this.body.appendChild(
      el('p', { class: 'xq-score', 'data-xq': 'score', text: this.say('score', { raw: raw, max: max }) }),
    );
    this.body.appendChild(el('p', { text: this.say(missed.length ? 'someWrong' : 'allRight') }));
    this.body.appendChild(
      el(
        'ol',
        { class: 'xq-results' },
        this.questions.map(function (question, index) {
          var right = self.isRight(index);
          return el('li', { class: right ? 'xq-result-good' : 'xq-result-bad' }, [
            base.icon(right ? 'check' : 'cross'),
            el('span', { class: 'xq-silent', text: self.say(right ? 'passed' : 'failed') }),
            el('span', { text: base.plain(question.stem) }),
          ]);
        }),
      ),
    );
    if (missed.length && !this.solutions) {
      this.body.appendChild(
        el('div', { class: 'xq-actions' }, [
          base.button('primary', 'again', this.say('again'), function () {
            self.redo(missed);
          }),
        ]),
      );
    }
    if (!this.completed && !this.solutions) {
      this.completed = true;
      this.triggerXAPICompleted(raw, max, raw === max);
    }
  };

  QuestionSet.prototype.redo = function (missed) {
    var self = this;
    missed.forEach(function (index) {
      self.answers[index] = { chosen: [], checked: false };
    });
    this.round = missed;
    this.goTo(0);
  };

  QuestionSet.prototype.missed = function () {
    var self = this;
    return this.questions
      .map(function (_, index) {
        return index;
      })
      .filter(function (index) {
        return !self.isRight(index);
      });
  };

  QuestionSet.prototype.isRight = function (index) {
    var answer = this.answers[index];
    return (
      answer.checked &&
      this.questions[index].options.every(function (option, at) {
        return !!option.correct === answer.chosen.indexOf(at) >= 0;
      })
    );
  };

  /** The xAPI name of a response: letters joined by `[,]`, or true / false (the first option is the statement's "true"). */
  QuestionSet.prototype.response = function (index, chosen) {
    if (this.questions[index].type === 'trueFalse') return chosen.length ? String(chosen[0] === 0) : '';
    return chosen
      .map(function (at) {
        return letters[at];
      })
      .join('[,]');
  };

  QuestionSet.prototype.part = function (index) {
    var self = this;
    var question = this.questions[index];
    var correct = question.options.reduce(function (list, option, at) {
      return option.correct ? list.concat(at) : list;
    }, []);
    var definition = {
      name: base.languageMap(this.params, H5P.createTitle(base.plain(question.stem))),
      description: base.languageMap(this.params, base.plain(question.stem)),
      interactionType: question.type === 'trueFalse' ? 'true-false' : 'choice',
      correctResponsesPattern: [this.response(index, correct)],
    };
    if (question.type !== 'trueFalse') {
      definition.choices = question.options.map(function (option, at) {
        return { id: letters[at], description: base.languageMap(self.params, option.text) };
      });
    }
    return { id: question.id || 'q' + (index + 1), definition: definition };
  };

  QuestionSet.prototype.result = function (index, started) {
    var right = this.isRight(index);
    return {
      response: this.response(index, this.answers[index].chosen),
      success: right,
      completion: true,
      score: base.scoreOf(right ? 1 : 0, 1),
      duration: base.durationSince(started || this.activityStartTime),
    };
  };

  // The question-type contract of H5P.

  QuestionSet.prototype.getScore = function () {
    return this.questions.length - this.missed().length;
  };

  QuestionSet.prototype.getMaxScore = function () {
    return this.questions.length;
  };

  QuestionSet.prototype.getAnswerGiven = function () {
    return this.answers.some(function (answer) {
      return answer.checked;
    });
  };

  QuestionSet.prototype.showSolutions = function () {
    this.solutions = true;
    this.at = 0;
    this.round = this.questions.map(function (_, index) {
      return index;
    });
    if (this.body) this.show();
  };

  QuestionSet.prototype.resetTask = function () {
    this.restore({});
    this.activityStartTime = Date.now();
    if (this.body) this.show();
  };

  QuestionSet.prototype.getXAPIData = function () {
    var self = this;
    var event = this.createXAPIEventTemplate('completed');
    event.setScoredResult(
      this.getScore(),
      this.getMaxScore(),
      this,
      true,
      this.getScore() === this.getMaxScore(),
    );
    return {
      statement: event.data.statement,
      children: this.questions.map(function (_, index) {
        return {
          statement: base.partStatement(self, 'answered', self.part(index), self.result(index)).data
            .statement,
        };
      }),
    };
  };

  QuestionSet.prototype.getCurrentState = function () {
    return { at: this.at, round: this.round.slice(), answers: this.answers, completed: this.completed };
  };

  return QuestionSet;
})(H5P.XinqiaoBase);
